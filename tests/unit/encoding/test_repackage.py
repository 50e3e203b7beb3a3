"""How sources are repackaged."""

import pytest

from podjobs.contract.commands import MediaInput
from podjobs.encoding.repackage import repackage_argv
from podjobs.encoding.settings import EncodingSettings
from podjobs.media.facts import MediaFacts, VideoFacts

SETTINGS = EncodingSettings(media_root="/media")
SOURCE = MediaInput("/m/x", ("file",), "/pod/x")


def facts_of(container, codec, *, lacks_times=False):
    video = VideoFacts(
        index=0, codec=codec, width_px=640, height_px=480, frame_rate=25, start_s=0, frames=100, lacks_times=lacks_times
    )
    return MediaFacts(format_name=container, start_s=0, duration_s=4, video=video, audio=None)


@pytest.mark.parametrize(
    ("container", "codec", "lacks_times", "clocked"),
    [
        ("avi", "h264", False, True),
        ("avi", "h264", True, False),  # frames are put in order when they are decoded
        ("avi", "mpeg4", False, False),  # its packets tell what they are
        ("mpegts", "h264", False, False),
    ],
)
def test_repackage_argv_frames_of_avi_are_shown_when_they_are_decoded(container, codec, lacks_times, clocked):
    argv = repackage_argv(facts_of(container, codec, lacks_times=lacks_times), SOURCE, "/w/x.mkv", SETTINGS)
    assert ("setts=pts=DTS" in argv) is clocked


def test_repackage_argv_what_is_marked_as_damaged_is_kept():
    """The last packet of each of joined transport streams is."""
    argv = repackage_argv(facts_of("mpegts", "h264"), SOURCE, "/w/x.mkv", SETTINGS)
    assert not any("discardcorrupt" in word for word in argv)
