"""The names of a runner client's files, and its playlists."""

from podjobs.encoding.deliverables import heights_of, renamed_playlist, runner_names
from podjobs.encoding.results import ImagesResult


def test_names_for_a_runner_client_and_what_it_would_not_import():
    images = ImagesResult(thumbnails=("thumbnail_3.png", "thumbnail_0001.png"), overview=())
    names = [
        *("1080p.mp4", "1080p.m3u8", "1080p.ts", "livestream.m3u8", "audio_192k.mp3", "audio_192k.m4a"),
        *("thumbnail_0001.png", "thumbnail_3.png", "overview.png", "overview.vtt", "subtitle_0_fr.vtt", "128000.m4a"),
    ]
    assert runner_names(names, images, "talk") == {
        "1080p.mp4": "1080p_talk.mp4",
        "1080p.m3u8": "1080p_talk.m3u8",
        "1080p.ts": "1080p_talk.ts",
        "audio_192k.mp3": "audio_192k_talk.mp3",
        "audio_192k.m4a": "audio_192k_talk.m4a",
        "thumbnail_0001.png": "talk_1.png",
        "thumbnail_3.png": "talk_0.png",
        "overview.png": "overview.png",
        "overview.vtt": "overview.vtt",
    }


def test_playlist_names_its_stream_as_it_is_called_now():
    playlist = "#EXTM3U\n#EXTINF:2,\n#EXT-X-BYTERANGE:5@0\n360p.ts\n#EXT-X-ENDLIST\n"
    assert renamed_playlist(playlist, {"360p.ts": "360p_talk.ts"}) == playlist.replace("360p.ts", "360p_talk.ts")


def test_heights_are_read_from_either_kind_of_info():
    assert heights_of({"list_hls_files": {"1080": "x", "360": "y"}}) == (360, 1080)
    entries = [{"rendition": "640x360"}, {"rendition": "640x360"}, {"rendition": "1920x1080"}]
    assert heights_of({"encode_video": entries}) == (360, 1080)
