"""What makes a packaged rendition wrong."""

import pytest

from podjobs.encoding.ladder import Rendition
from podjobs.encoding.verify import Expectation, check_packets

RENDITION = Rendition(
    name="360", width_px=640, height_px=360, maxrate_bps=1, audio_bps=1, mp4=True, preset="fast", crf=20,
    references=1, level="3",
)  # fmt: skip
EXPECTED = Expectation(rendition=RENDITION, frames=3, first_frame_s=0.0, has_audio=True)
# 25 frames a second, two frames of reordering; the sound begins one AAC frame (1,024 / 48,000 s = 1,920 ticks) earlier
VIDEO = [(10_000, 2_800, True), (17_200, 6_400, False), (13_600, 10_000, False)]
SOUND = [(8_080, 8_080, True), (10_000, 10_000, True)]


def test_check_packets_good_stream_has_no_fault():
    assert check_packets(EXPECTED, {"video": VIDEO, "audio": SOUND}) == []


@pytest.mark.parametrize(
    ("video", "sound", "fault"),
    [
        ([], SOUND, "no picture"),
        (VIDEO[:2], SOUND, "3 frames were encoded, 2 are packaged"),
        ([VIDEO[0], VIDEO[2], VIDEO[1]], SOUND, "decoding times"),
        ([VIDEO[0], VIDEO[1], (17_200, 10_000, False)], SOUND, "same time"),
        ([(10_000, 2_800, False), *VIDEO[1:]], SOUND, "key frame"),
        (VIDEO, [], "sound is missing"),
        (VIDEO, [(7_000, 7_000, True)], "12 ms apart"),
        (VIDEO, [(9_160, 9_160, True)], "-12 ms apart"),
    ],
)
def test_check_packets_fault_is_named(video, sound, fault):
    (message,) = check_packets(EXPECTED, {"video": video, "audio": sound} if sound else {"video": video})
    assert fault in message
