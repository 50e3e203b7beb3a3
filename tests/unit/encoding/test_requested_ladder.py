"""The ladder that a job's sender asks for."""

from podjobs.contract.jobs import RenditionRequest
from podjobs.encoding.requested_ladder import with_requested
from podjobs.encoding.settings import EncodingSettings

SETTINGS = EncodingSettings(media_root="/media")


def ladder(*requests):
    rows = with_requested(SETTINGS, requests).video_renditions
    return [(row.resolution, row.maxrate, row.audio_bitrate, row.encode_mp4) for row in rows]


def test_without_requests_the_settings_stay():
    assert with_requested(SETTINGS, ()) is SETTINGS


def test_what_a_request_leaves_open_is_as_the_settings_have_it_for_its_height():
    requests = (RenditionRequest(resolution="1920x1080", mp4=True), RenditionRequest(resolution="640x360"))
    assert ladder(*requests) == [("640x360", 1_000_000, 96_000, False), ("1920x1080", 4_500_000, 192_000, True)]


def test_height_that_the_settings_lack_has_as_many_bits_a_pixel_as_the_nearest_one():
    # 480 is nearer to 360: 1,000,000 · (480/360)² = 1,777,778
    assert ladder(RenditionRequest(resolution="854x480")) == [("854x480", 1_777_778, 96_000, False)]


def test_bit_rates_of_the_request_count_within_limits():
    request = RenditionRequest(resolution="640x360", max_bps=750_000, audio_bps=64_000)
    assert ladder(request)[0][1:3] == (750_000, 64_000)
    absurd = RenditionRequest(resolution="640x360", max_bps=1, audio_bps=10**9)
    assert ladder(absurd)[0][1:3] == (100_000, 320_000)


def test_of_two_requests_for_one_height_the_first_counts():
    requests = (RenditionRequest(resolution="640x360", mp4=True), RenditionRequest(resolution="480x360"))
    assert ladder(*requests) == [("640x360", 1_000_000, 96_000, True)]
