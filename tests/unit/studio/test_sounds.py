"""Which sound is heard."""

import math

import pytest

from podjobs.media.facts import AudioFacts
from podjobs.studio.audio import Heard, choose_sounds, read_peak
from podjobs.studio.recipe import Sound


def heard(name, peak_dbfs):
    audio = AudioFacts(index=1, codec="opus", sample_rate_hz=48_000, channels=1, start_s=0.0)
    return Heard(Sound(name=name, source=f"{name}.webm", audio=audio, file_start_s=0.0, origin_s=0.0), peak_dbfs)


@pytest.mark.parametrize(
    ("presenter", "presentation", "mix", "expected"),
    [
        (-12.0, -3.0, False, ["presenter"]),
        (-45.0, -3.0, False, ["presenter"]),
        (-75.0, -3.0, False, ["presentation"]),
        (-math.inf, -3.0, False, ["presentation"]),
        (-math.inf, -math.inf, False, ["presenter"]),
        (-12.0, -3.0, True, ["presenter", "presentation"]),
        (-12.0, -75.0, True, ["presenter"]),
        (-75.0, -75.0, True, ["presenter"]),
    ],
)
def test_presenter_is_heard_unless_silent(presenter, presentation, mix, expected):
    chosen, _ = choose_sounds([heard("presenter", presenter), heard("presentation", presentation)], mix=mix)
    assert [sound.name for sound in chosen] == expected


def test_the_log_says_what_was_chosen_and_why():
    _, log = choose_sounds([heard("presenter", -math.inf), heard("presentation", -3.2)], mix=False)
    assert log == (
        "The sound of the presenter is silent (its peak is digital silence).",
        "The sound of the presentation is heard (peak -3 dBFS).",
    )
    _, log = choose_sounds([heard("presenter", -12), heard("presentation", -3)], mix=True)
    assert log == ("The sounds of the presenter and the presentation are mixed (peak -12 dBFS, -3 dBFS).",)


def test_highest_of_all_peaks_counts():
    lines = ["frame:0 pts:0", "lavfi.astats.Overall.Peak_level=-31.25", "lavfi.astats.Overall.Peak_level=-6.5"]
    assert read_peak("\n".join(lines)) == -6.5
    assert read_peak("lavfi.astats.Overall.Peak_level=-inf\n") == -math.inf
    assert read_peak("") == -math.inf
