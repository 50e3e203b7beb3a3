"""Names of sounds are not text."""

import pytest

from podjobs.transcription.hearing.utterances import mark_voiced
from podjobs.transcription.spans import TimeSpan
from support.utterances import screened, utter


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
def test_drop_hallucinations_names_of_sounds_always_go(text, left):
    kept, log = screened([utter(text, average_log_probability=-0.1)])
    assert kept == left
    assert bool(log) == (left != [text])


@pytest.mark.parametrize(
    ("log_probability", "left"),
    [(-0.3, "le mot (musique) est entre parenthèses"), (-0.8, "le mot est entre parenthèses")],
)
def test_drop_hallucinations_name_of_a_sound_within_a_sentence_stays_if_it_was_clearly_said(log_probability, left):
    heard = utter(
        "le mot (musique) est entre parenthèses",
        average_log_probability=log_probability,
        no_speech_probability=0.7,  # of the whole window
    )
    assert screened([mark_voiced(heard, [TimeSpan(0, 5)])])[0] == [left]
    assert screened([heard])[0] == ["le mot est entre parenthèses"]
