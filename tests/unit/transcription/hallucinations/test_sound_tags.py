"""Names of sounds are not text."""

import pytest

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
