"""Text nobody said is dropped, and what somebody said stays."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podjobs.contract.confidence import Confidence
from podjobs.transcription.hallucinations.confidence import HallucinationLimits
from podjobs.transcription.hearing.utterances import Utterance, mark_voiced
from podjobs.transcription.spans import TimeSpan
from support.utterances import UNSURE, screen, screened, utter


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
def test_drop_hallucinations_known_hallucination_goes_only_if_unsure_or_in_silence(text):
    sure = utter(text, average_log_probability=-0.2)
    assert screened([sure]) == ([sure.text], [])
    assert screened([utter(text, **UNSURE)])[0] == []
    assert screened([utter(text, no_speech_probability=0.5)])[0] == []
    assert screened([utter(text, probability=0.3)])[0] == []
    assert screened([sure], speech=[(100, 200)])[0] == []


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
def test_drop_hallucinations_what_only_resembles_a_known_one_stays(text):
    assert screened([utter(text, **UNSURE)]) == ([text], [])


def test_drop_hallucinations_only_the_known_clause_of_an_utterance_goes():
    text = "Voilà pour ce cours. Merci d'avoir regardé cette vidéo ! À la semaine prochaine."
    kept, log = screened([utter(text, start_s=60, **UNSURE)])
    assert kept == ["Voilà pour ce cours. À la semaine prochaine."]
    # four words of 0.3 s come before it
    reason = "the model is known to hallucinate it, and was not sure"
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
def test_drop_hallucinations_text_outside_speech_goes_however_sure(speech, stays):
    heard = utter("il n'y a personne qui dit tout cela ici donc", start_s=10, average_log_probability=-0.1)
    kept, log = screened([heard], speech)
    assert kept == ([heard.text] if stays else [])
    assert log == (
        []
        if stays
        else ["At 00:00:10.000 «il n'y a personne qui dit tout cela ici donc» was left out: nobody speaks there."]
    )


def test_drop_hallucinations_a_clause_far_from_speech_goes_though_its_utterance_stays():
    near, far = utter("Bonjour à tous.", 10), utter("Je suis dans la cuisine.", 14)
    joined = Utterance(near.words + far.words)
    assert screened([joined], speech=[(10, 11)]) == (
        ["Bonjour à tous."],
        ["At 00:00:14.000 «Je suis dans la cuisine.» was left out: nobody speaks anywhere near."],
    )


@pytest.mark.parametrize(
    ("no_speech", "log_probability", "stays"),
    [(0.9, -1.2, False), (0.9, -0.9, True), (0.5, -1.2, True), (0.0, 0.0, True)],
)
def test_drop_hallucinations_no_speech_and_unsure_goes(no_speech, log_probability, stays):
    heard = utter("du texte", no_speech_probability=no_speech, average_log_probability=log_probability)
    kept, log = screened([heard])
    assert kept == (["du texte"] if stays else [])
    if not stays:
        reason = "the model heard no speech (0.90) and was not sure of the text (-1.20)"
        assert log == [f"At 00:00:00.000 «du texte» was left out: {reason}."]


def voiced(heard, *spans):
    return mark_voiced(heard, [TimeSpan(*span) for span in spans])


@pytest.mark.parametrize("text", ["Silence.", "Merci d'avoir regardé !", "zéro un " * 10 + "deux"])
def test_drop_hallucinations_what_a_voice_says_stays_though_the_window_is_mostly_silence(text):
    heard = utter(text.strip(), start_s=10, average_log_probability=-0.2, no_speech_probability=0.9)
    assert screened([voiced(heard, (9.9, 18))]) == ([heard.text], [])
    assert screened([heard])[0] != [heard.text]
    unsure = utter(text.strip(), start_s=10, average_log_probability=-0.9, no_speech_probability=0.9)
    assert screened([voiced(unsure, (9.9, 18))])[0] != [unsure.text]


def test_drop_hallucinations_a_loop_goes_whoever_speaks_meanwhile():
    looping = utter("zéro un " * 30 + "deux", compression_ratio=6.0)
    assert screened([voiced(looping, (0, 60))])[0] == ["zéro un deux"]
    assert screened([voiced(replace(looping, confidence=Confidence()), (0, 60))])[0] == ["zéro un deux"]


def test_drop_hallucinations_words_without_time_go_if_unsure():
    heard = utter("une longue phrase qui est dite en un instant", word_s=0.01, **UNSURE)
    assert screened([heard])[0] == []
    assert screened([replace(heard, confidence=Confidence(average_log_probability=-0.2))])[0] == [heard.text]


def test_drop_hallucinations_first_occurrence_outside_speech_goes_too():
    utterances = [utter("il fait beau aujourd'hui", start_s=5 * index) for index in range(6)]
    assert screened(utterances, speech=[(10, 11.5), (60, 70)])[0] == ["il fait beau aujourd'hui"]
    assert screened(utterances, speech=[(60, 70)])[0] == []


def test_drop_hallucinations_log_is_in_the_order_of_time():
    utterances = [
        utter("oui " * 30, start_s=0),
        utter("[Music]", start_s=20),
        utter("Thanks for watching!", start_s=30, **UNSURE),
    ]
    assert [sentence[:15] for sentence in screened(utterances)[1]] == [
        "At 00:00:00.300",
        "At 00:00:20.000",
        "At 00:00:30.000",
    ]


def test_drop_hallucinations_limits_are_the_caller_s():
    heard = utter("oui oui oui oui")
    kept, _ = screened([heard], limits=HallucinationLimits(max_word_times=3))
    assert kept == ["oui"]


WORDS = st.sampled_from(
    ["oui", "non", "je", "vais", "dire", "[Music]", "♪", "!", "Merci", "1", "abonnez-vous", "fin.", "a" * 20]
)
UTTERANCES = st.lists(
    st.builds(
        utter,
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


@given(utterances=UTTERANCES, speech=SPEECH)
def test_drop_hallucinations_any_utterances_are_kept_in_order_and_every_drop_is_logged(utterances, speech):
    kept, log = screen(utterances, speech)
    before = [word for heard in utterances for word in heard.words]
    after = [word for heard in kept for word in heard.words]
    rest = iter(before)
    # A word may lose the name of a sound in it, no more.
    assert all(any(word.start_s == other.start_s and word.text in other.text for other in rest) for word in after)
    assert all(heard.words for heard in kept)
    assert bool(log) == (len(after) < len(before))


def test_drop_hallucinations_two_hours_stay():
    utterances = [
        utter(" ".join(f"mot{(index * place) % 97}" for index in range(15)), start_s=place * 5.0)
        for place in range(1700)
    ]
    kept, _ = screen(utterances, [(place * 5.0, place * 5.0 + 4.5) for place in range(1700)])
    assert sum(len(heard.words) for heard in kept) > 20_000


def test_drop_hallucinations_what_was_only_guessed_goes_however_sure_the_detector_is():
    guessed = utter("Les unces Lions venus lui Marcher à des Nations", average_log_probability=-5.4)
    kept, log = screened([utter("Bonjour à tous.", average_log_probability=-1.4), replace(guessed, voiced=True)])
    assert kept == ["Bonjour à tous."]
    (sentence,) = log
    assert sentence.startswith("At 00:00:00.000 «Les unces Lions venus lui Marcher à des Nations» was left out: ")
    assert sentence.endswith("the model could only guess what was said (-5.40).")
