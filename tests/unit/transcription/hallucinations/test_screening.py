"""Text nobody said is dropped, and what somebody said stays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podjobs.transcription.hallucinations.confidence import InventionLimits
from podjobs.transcription.hallucinations.repetitions import Loop, find_loops
from podjobs.transcription.hallucinations.screening import drop_invented
from podjobs.transcription.hearing.utterances import Segment, Word

EVERYWHERE = [(0.0, 10_000.0)]
DOUBTFUL = {"average_log_probability": -0.8}


def segment(text, start_s=0.0, word_s=0.3, probability=0.9, **measures):
    """One utterance, its words one right after the other."""
    words = [
        Word(
            text=f" {part}",
            start_s=round(start_s + index * word_s, 3),
            end_s=round(start_s + (index + 1) * word_s, 3),
            probability=probability,
        )
        for index, part in enumerate(text.split(" "))
    ]
    return Segment(words=tuple(words), **measures)


def texts(segments):
    return [segment.text for segment in segments]


def dropped(given_segments, speech=EVERYWHERE):
    """What stays, and the log."""
    kept, log = drop_invented(given_segments, speech)
    return texts(kept), list(log)


@pytest.mark.parametrize(
    "text",
    [
        "Sous-titrage ST' 501",
        "Sous-titres réalisés par la communauté d'Amara.org",
        "Sous-titres réalisés para la communauté d'Amara.org",
        "Sous-titrage Société Radio-Canada",
        "❤️ par SousTitreur.com",
        "Merci d'avoir regardé cette vidéo !",
        "Merci d’avoir regardé cette vidéo, n’hésitez pas à vous abonner pour ne manquer aucune de mes vidéos.",
        "Abonnez-vous !",
        "Thanks for watching!",
        "Thank you for watching. Please subscribe.",
        "Subtitles by the Amara.org community",
        "Untertitel im Auftrag des ZDF für funk, 2017",
        "Untertitel der Amara.org-Community",
        "Copyright WDR 2021",
        "Vielen Dank fürs Zuschauen!",
        "Subtítulos realizados por la comunidad de Amara.org",
        "¡Suscríbete al canal!",
        "Sottotitoli creati dalla comunità Amara.org",
        "Obrigado por assistir!",
        "Ondertitels ingediend door de Amara.org gemeenschap",
        "Субтитры сделал DimaTorzok",
        "ご視聴ありがとうございました",
        "Musique",
    ],
)
def test_drop_invented_phantom_phrase_goes_in_doubt_and_in_silence_only(text):
    sure = segment(text, average_log_probability=-0.2)
    assert dropped([sure]) == ([sure.text], [])
    assert dropped([segment(text, **DOUBTFUL)])[0] == []
    assert dropped([segment(text, no_speech_probability=0.5)])[0] == []
    assert dropped([segment(text, probability=0.3)])[0] == []
    assert dropped([sure], speech=[(100, 200)])[0] == []


@pytest.mark.parametrize(
    "text",
    [
        "Merci.",
        "Merci de regarder cette figure avec attention",
        "Please subscribe to the journal if you want to read more",
        "les sous-titres pour sourds et malentendants",
        "l'ADN est transcrit, transcribed by RNA polymerase",
        "we thank you for watching over us",
        "the music of Bach",
        "Les classes sont : silence, bruit, musique, parole.",
    ],
)
def test_drop_invented_what_only_resembles_a_phantom_stays(text):
    assert dropped([segment(text, **DOUBTFUL)]) == ([text], [])


def test_drop_invented_only_the_phantom_clause_of_a_segment_goes():
    text = "Voilà pour ce cours. Merci d'avoir regardé cette vidéo ! À la semaine prochaine."
    kept, log = dropped([segment(text, start_s=60, **DOUBTFUL)])
    assert kept == ["Voilà pour ce cours. À la semaine prochaine."]
    # four words of 0.3 s come before it
    reason = "the model is known to invent it, and was not sure"
    assert log == [f"At 00:01:01.200 «Merci d'avoir regardé cette vidéo !» was left out: {reason}."]


@pytest.mark.parametrize(
    ("speech", "stays"),
    [
        ([(10, 13)], True),
        ([(12.8, 15)], True),  # the last word
        ([(0, 9.8), (13.2, 20)], False),  # the margins of 0.3 s cover less than a tenth
        ([(0, 9.5), (14, 20)], False),
        ([], False),
    ],
)
def test_drop_invented_text_outside_speech_goes_however_sure(speech, stays):
    heard = segment("il n'y a personne qui dit tout cela ici donc", start_s=10, average_log_probability=-0.1)
    kept, log = dropped([heard], speech)
    assert kept == ([heard.text] if stays else [])
    assert log == (
        []
        if stays
        else ["At 00:00:10.000 «il n'y a personne qui dit tout cela ici donc» was left out: nobody speaks there."]
    )


def test_drop_invented_a_clause_far_from_speech_goes_though_its_segment_stays():
    near, far = segment("Bonjour à tous.", 10), segment("Je suis dans la cuisine.", 14)
    joined = Segment(words=near.words + far.words)
    assert dropped([joined], speech=[(10, 11)]) == (
        ["Bonjour à tous."],
        ["At 00:00:14.000 «Je suis dans la cuisine.» was left out: nobody speaks anywhere near."],
    )


@pytest.mark.parametrize(
    ("no_speech", "log_probability", "stays"),
    [(0.9, -1.2, False), (0.9, -0.9, True), (0.5, -1.2, True), (0.0, 0.0, True)],
)
def test_drop_invented_no_speech_and_unsure_goes(no_speech, log_probability, stays):
    heard = segment("du texte", no_speech_probability=no_speech, average_log_probability=log_probability)
    kept, log = dropped([heard])
    assert kept == (["du texte"] if stays else [])
    if not stays:
        reason = "the model heard no speech (0.90) and was not sure of the text (-1.20)"
        assert log == [f"At 00:00:00.000 «du texte» was left out: {reason}."]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("[Music]", []),
        ("[Musique douce]", []),
        ("(upbeat music)", []),
        ("*rires*", []),
        ("♪ ♪ ♪", []),
        ("[BLANK_AUDIO]", []),
        ("[Applaudissements] Bonjour à tous [rires] et merci", ["Bonjour à tous et merci"]),
        ("♪ Frère Jacques ♪", ["Frère Jacques"]),
        ("la liste [0, 1, 2] et l'ensemble (fini)", ["la liste [0, 1, 2] et l'ensemble (fini)"]),
        ("(la musique baroque) et 2 * 3 * 4", ["(la musique baroque) et 2 * 3 * 4"]),
        ("Merci (rires) à tous. (Musique douce)", ["Merci à tous."]),
        ("le signal (bruit blanc) vaut 2*bruit*3", ["le signal (bruit blanc) vaut 2*bruit*3"]),
    ],
)
def test_drop_invented_names_of_sounds_always_go(text, left):
    kept, log = dropped([segment(text, average_log_probability=-0.1)])
    assert kept == left
    assert bool(log) == (left != [text])


def test_drop_invented_words_without_time_go_in_doubt():
    heard = segment("une longue phrase qui est dite en un instant", word_s=0.01, **DOUBTFUL)
    assert dropped([heard])[0] == []
    assert dropped([heard.model_copy(update={"average_log_probability": -0.2})])[0] == [heard.text]


@pytest.mark.parametrize(
    "text",
    [
        "oui, oui, oui",
        "non non non non non non non",
        "it is very very very good",
        "d'accord d'accord d'accord d'accord",
        "je veux, je veux, je veux dire",
        "1 2 3 4 5 6 7 8 9 10",
        "0 0 0 0 0 0 0 0 0 0 0 0 1",
        "zéro zéro zéro zéro zéro zéro zéro zéro zéro un",
        "la la la la la la la la la la la",
        "un, deux, trois, un, deux, trois, un, deux, trois, un, deux, trois, un, deux, trois, un, deux, trois",
        "priez pour nous priez pour nous priez pour nous priez pour nous priez pour nous priez pour nous",
        "Le chat dort. Le chat dort. Le chat dort. Le chat dort. Le chat dort.",
        "Vive le vent, vive le vent, vive le vent d'hiver. " * 3 + "Bravo !",
        "et le moteur fait brrrrrrrrrrrrr, puis 0xffffffffffff",
        "ha ha ha ha ha",
    ],
)
def test_drop_invented_what_people_repeat_stays(text):
    assert dropped([segment(text, average_log_probability=-0.2)]) == ([text], [])


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("oui " * 30 + "voilà", "oui voilà"),
        ("et on va voir " * 12 + "la suite", "et on va voir la suite"),
        # What follows the last whole one may begin something new, if the segment goes on.
        ("je crois que " * 10 + "je crois bien", "je crois que je crois bien"),
        # It breaks off with the segment.
        ("je crois que " * 10 + "je", "je crois que"),
        ("Merci ! " * 13, "Merci !"),
        ("bon " + "ha" * 40 + " alors", "bon alors"),
        ("soit 0," + "3" * 150 + " donc", "soit donc"),
    ],
)
def test_drop_invented_loop_in_a_segment_leaves_the_first(text, left):
    kept, log = dropped([segment(text.strip(), average_log_probability=-0.2)])
    assert kept == [left]
    assert len(log) == 1


def test_drop_invented_loop_over_segments_leaves_the_first_and_is_told():
    again = [segment("Je vais vous montrer la suite.", start_s=5.0 * index) for index in range(1, 8)]
    kept, log = dropped([segment("Bonjour."), *again, segment("Merci.", start_s=40)])
    assert kept == ["Bonjour.", "Je vais vous montrer la suite.", "Merci."]
    reason = "it repeats what comes before it, 6 times in a row"
    assert log == [f"At 00:00:10.000 «Je vais vous montrer la suite.» was left out: {reason}."]


def test_drop_invented_loop_in_doubt_goes_sooner():
    twice = [segment("je vais vous montrer la suite", start_s=5 * index) for index in range(3)]
    assert dropped(twice)[0] == texts(twice)
    doubtful = [heard.model_copy(update={"compression_ratio": 5.0}) for heard in twice]
    assert dropped(doubtful)[0] == texts(twice[:1])


@pytest.mark.parametrize(
    ("measures", "stays"),
    [
        ({}, True),
        ({"probability": 0.4}, False),
        ({"compression_ratio": 3.0}, True),
        ({"compression_ratio": 5.0}, False),
        ({"word_s": 0.01}, False),
    ],
)
def test_drop_invented_one_syllable_over_and_over_goes_in_doubt_only(measures, stays):
    heard = segment("ATATATATATATATATATATATAT", **{"word_s": 2, **measures})
    assert dropped([heard])[0] == ([heard.text] if stays else [])


@pytest.mark.parametrize(("text", "times"), [("bravo", 4), ("un deux", 3), ("le chat dort ici", 2)])
def test_drop_invented_loop_in_doubt_goes_at_a_third(text, times):
    said = segment(" ".join([text] * times), compression_ratio=5.0)
    assert dropped([said])[0] == [said.text]
    assert dropped([segment(" ".join([text] * (times + 1)), compression_ratio=5.0)])[0] == [text]


def test_drop_invented_a_drill_that_was_said_stays():
    # A small English model's own measures, of text that was spoken.
    said = "Please repeat after me, " + "the cat sat on the mat, " * 6 + "very good."
    heard = segment(said, average_log_probability=-0.09, compression_ratio=2.93)
    counted = segment("1, 2, 3, " * 9 + "this is a waltz.", average_log_probability=-0.19, compression_ratio=2.78)
    assert dropped([heard])[0] == [heard.text]
    assert dropped([counted])[0] == [counted.text]


def test_drop_invented_first_occurrence_outside_speech_goes_too():
    segments = [segment("il fait beau aujourd'hui", start_s=5 * index) for index in range(6)]
    assert dropped(segments, speech=[(10, 11.5), (60, 70)])[0] == ["il fait beau aujourd'hui"]
    assert dropped(segments, speech=[(60, 70)])[0] == []


def test_drop_invented_log_is_in_the_order_of_time():
    segments = [
        segment("oui " * 30, start_s=0),
        segment("[Music]", start_s=20),
        segment("Thanks for watching!", start_s=30, **DOUBTFUL),
    ]
    assert [sentence[:15] for sentence in dropped(segments)[1]] == [
        "At 00:00:00.300",
        "At 00:00:20.000",
        "At 00:00:30.000",
    ]


def test_drop_invented_limits_are_the_caller_s():
    heard = segment("oui oui oui oui")
    kept, _ = drop_invented([heard], EVERYWHERE, InventionLimits(max_word_times=3))
    assert texts(kept) == ["oui"]


@pytest.mark.parametrize(
    ("tokens", "period", "loops"),
    [
        ("abcabcabcd", 3, [Loop(0, 3, 3, 0)]),
        ("xabcabcab", 3, [Loop(1, 3, 2, 2)]),
        ("abab", 3, []),
        ("aabb", 1, [Loop(0, 1, 2, 0), Loop(2, 1, 2, 0)]),
        ("", 1, []),
    ],
)
def test_find_loops_finds_the_longest_run(tokens, period, loops):
    assert find_loops(list(tokens), period) == loops


WORDS = st.sampled_from(
    ["oui", "non", "je", "vais", "dire", "[Music]", "♪", "!", "Merci", "1", "abonnez-vous", "fin.", "a" * 20]
)
SEGMENTS = st.lists(
    st.builds(
        segment,
        st.lists(WORDS, min_size=1, max_size=12).map(" ".join),
        start_s=st.integers(0, 50).map(float),
        word_s=st.sampled_from([0.0, 0.01, 0.3, 2.0]),
        probability=st.sampled_from([0.1, 0.9]),
        no_speech_probability=st.sampled_from([0.0, 0.5, 0.9]),
        average_log_probability=st.sampled_from([-1.5, -0.7, -0.1]),
        compression_ratio=st.sampled_from([1.0, 3.0, 5.0]),
    ),
    max_size=12,
)
SPEECH = st.lists(
    st.tuples(st.floats(0, 60), st.floats(0, 10)).map(lambda pair: (pair[0], pair[0] + pair[1])), max_size=5
)


@given(segments=SEGMENTS, speech=SPEECH)
def test_drop_invented_any_segments_are_kept_in_order_and_every_drop_is_told(segments, speech):
    kept, log = drop_invented(segments, speech)
    before = [word for heard in segments for word in heard.words]
    after = [word for heard in kept for word in heard.words]
    rest = iter(before)
    # A word may lose the name of a sound in it, no more.
    assert all(any(word.start_s == other.start_s and word.text in other.text for other in rest) for word in after)
    assert all(heard.words for heard in kept)
    assert bool(log) == (len(after) < len(before))


def test_drop_invented_two_hours_stay():
    segments = [
        segment(" ".join(f"mot{(index * place) % 97}" for index in range(15)), start_s=place * 5.0)
        for place in range(1700)
    ]
    kept, _ = drop_invented(segments, [(place * 5.0, place * 5.0 + 4.5) for place in range(1700)])
    assert sum(len(heard.words) for heard in kept) > 20_000
