"""The page that plays a result."""

from local.page import Captions, write_page

INFO = {
    "list_hls_files": {"360": "/m/0001/360p.m3u8"},
    "list_mp4_files": {"360": "/m/0001/360p.mp4"},
    "list_mp3_files": {"192k": "/m/0001/audio_192k.mp3"},
    "list_m4a_files": {},
    "list_thumbnail_files": {"1": "/m/0001/thumbnail_0001.png"},
    "list_overview_files": {"0": "/m/0001/overview.png", "1": "/m/0001/overview.vtt"},
}


def test_write_page_names_what_was_made():
    page = write_page("A talk", INFO, "Fast.")

    for name in ("livestream.m3u8", "360p.mp4", "audio_192k.mp3", "thumbnail_0001.png", "overview.vtt"):
        assert f'"{name}"' in page


def test_write_page_name_of_a_video_cannot_become_markup():
    page = write_page("</script><script>alert(1)</script>", {**INFO, "list_mp4_files": {"360": "/m/</script>"}}, "")

    assert "<script>alert" not in page
    assert page.count("</script>") == 3


def test_write_page_captions_are_named_with_their_language():
    page = write_page("A talk", INFO, "", Captions("captions_en.vtt", "en"))

    assert '"captions": {"file": "captions_en.vtt", "language": "en"}' in page
    assert '"captions": null' in write_page("A talk", INFO, "")
