"""ffmpeg's list of streams, read."""

from podjobs.media.openable import Listed, read_listing

LISTING = """\
#extradata 0:       39, 0xfec00c17
#software: Lavf59.27.100
#tb 0: 1/1000
#media_type 0: video
#codec_id 0: h264
#dimensions 0: 160x90
#sar 0: 1/1
#media_type 1: audio
#codec_id 1: none
#sample_rate 1: 44100
#channel_layout_name 1: mono
#media_type 2: data
#codec_id 2: bin_data
#media_type 10: subtitle
#codec_id 10: subrip
"""


def test_read_listing_streams_in_order_with_what_the_container_says():
    assert read_listing(LISTING) == [
        Listed(0, "video", "h264", size_px=(160, 90)),
        Listed(1, "audio", "none", sample_rate_hz=44100),
        Listed(2, "data", "bin_data"),
        Listed(10, "subtitle", "subrip"),
    ]


def test_read_listing_of_nothing_is_empty():
    assert read_listing("") == []
