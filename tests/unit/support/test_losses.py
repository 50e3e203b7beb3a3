from support.real_speech.losses import compare, plain, told_spans
from support.real_speech.talk import Sentence

SAID = (
    Sentence("Le chat dort sur la chaise.", 0.0, 3.0),
    Sentence("Le chien mange une pomme verte.", 4.0, 7.0),
    Sentence("Il pleut.", 8.0, 9.0),
)


def test_wrong_missing_and_added_words_are_errors():
    found = compare(SAID, "Le chat sort sur chaise. Le chien mange une très pomme verte. Il pleut.", "fr")
    assert (found.words, found.errors, found.lost, found.lost_sentences) == (14, 3, 0, ())


def test_a_missing_sentence_is_lost_and_untold_without_a_log():
    found = compare(SAID, "Le chat dort sur la chaise. Il pleut.", "fr")
    assert (found.errors, found.lost, found.untold, found.lost_sentences) == (6, 6, 6, (SAID[1],))


def test_a_missing_sentence_is_told_by_a_sentence_of_the_log_about_its_time():
    log = ["In the part from 0:00 on: speech from 4.2 s to 6.9 s has no caption."]
    assert compare(SAID, "Le chat dort sur la chaise. Il pleut.", "fr", log).untold == 0
    log = ["In the part from 1:00 on: speech from 4.2 s to 6.9 s has no caption."]
    assert compare(SAID, "Le chat dort sur la chaise. Il pleut.", "fr", log).untold == 6


def test_two_missing_words_may_have_been_misheard():
    assert compare(SAID, "Le chat dort sur la chaise. Le chien mange une pomme verte.", "fr").lost == 0


def test_nothing_heard_is_all_lost():
    found = compare(SAID, "", "fr")
    assert (found.errors, found.lost, len(found.lost_sentences), found.error_rate) == (14, 14, 3, 1.0)


def test_times_of_the_log_are_those_of_the_whole_sound():
    log = [
        "In the part from 1:00 on: At 00:00:02.500 «trois mots dits» was left out: nobody speaks there.",
        "In the part from 2:00 on: speech from 1.0 s to 4.5 s has no caption.",
        "In the part from 0:00 on: 1.2 s of speech from 10.0 s to 12.5 s have no caption.",
        "3 captions were made of 7 s of speech.",
    ]
    spans = [(round(span.start_s, 2), round(span.end_s, 2)) for span in told_spans(log)]
    assert spans == [(62.5, 64.3), (121.0, 124.5), (10.0, 12.5)]


def test_numbers_compare_however_they_are_written():
    assert plain("3 pommes, zéro un, 01", "fr") == plain("Trois pommes 01 zéro-un", "fr")
