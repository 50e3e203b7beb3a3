"""The longest media that is accepted, as stated and as it turns out."""

import math

import pytest

from podjobs.contract.errors import PermanentError
from podjobs.media.limits import SLACK_S, check_length, watch_length
from podjobs.media.settings import SourceSettings

SETTINGS = SourceSettings(media_root="/media")


@pytest.mark.parametrize("length_s", [None, 0.0, 60.0, 12 * 3600])
def test_check_length_accepts_what_is_not_too_long(length_s):
    check_length("talk.mp4", length_s, SETTINGS)


@pytest.mark.parametrize(
    ("length_s", "said"),
    [(43_201, "12.0"), (360_000, "100.0"), (1e9, "277,777.8"), (math.inf, "inf"), (math.nan, "nan")],
)
def test_check_length_refuses_what_is_too_long_and_names_the_setting(length_s, said):
    with pytest.raises(PermanentError) as refused:
        check_length("talk.mp4", length_s, SETTINGS)
    assert refused.value.detail == (
        f"The file 'talk.mp4' is {said} h long, at most 12 h are accepted. Upload it in parts, or raise "
        "PODJOBS_MAX_DURATION_S if that is right."
    )


def test_watch_length_ends_what_goes_on_and_passes_on_what_does_not():
    blocks = []
    watch = watch_length("talk.flac", SETTINGS, blocks.append)
    for block in ({"out_time_us": "N/A"}, {"frame": "7"}, {"out_time_us": "-5"}, {"out_time_us": "43200000000"}):
        watch(block)
    assert len(blocks) == 4
    with pytest.raises(PermanentError, match=r"'talk.flac' goes on and on.*raise PODJOBS_MAX_DURATION_S"):
        watch({"out_time_us": str(int((43_200 + SLACK_S) * 1e6) + 1)})
