"""What a studio's recorder has written is read as Pod reads it, and nothing else that a document may contain."""

import pytest

from podjobs.contract.errors import InvalidRequestError
from podjobs.contract.jobs import Cut
from podjobs.studio.mediapackage import Mediapackage, read_cut, read_mediapackage

URL = "https://pod.example.org/media/opencast-files/a1/a1.xml"
PACKAGE = """<?xml version="1.0" encoding="utf-8"?>
<mediapackage xmlns="http://mediapackage.opencastproject.org" id="a1" start="2026-01-01T00:00:00Z" {attributes}>
  <media>{tracks}</media>
  <metadata>
    <catalog type="dublincore/episode"><mimetype>text/xml</mimetype><url>https://pod.example.org/dc.xml</url></catalog>
    {catalogs}
  </metadata>
</mediapackage>"""
SMIL = '<smil xmlns="http://www.w3.org/ns/SMIL"><body><par>{}</par></body></smil>'


def track(kind, url):
    return f'<track type="{kind}"><mimetype>video/webm</mimetype><url>\n {url} </url></track>'


def package(*tracks, attributes='presenter="pipb"', catalogs=""):
    return PACKAGE.format(tracks="".join(tracks), attributes=attributes, catalogs=catalogs).encode()


def test_sources_layout_and_cut_are_found():
    content = package(
        track("presentation/source", "https://pod.example.org/p.webm"),
        track("presenter/source", "/media/c.webm"),
        track("presenter/preview", "https://pod.example.org/other.webm"),
        catalogs='<catalog type="smil/cutting"><url>cutting.smil</url></catalog>',
    )
    assert read_mediapackage(content, URL) == Mediapackage(
        presentation="https://pod.example.org/p.webm",
        presenter="https://pod.example.org/media/c.webm",
        layout="pipb",
        cutting="https://pod.example.org/media/opencast-files/a1/cutting.smil",
    )


@pytest.mark.parametrize(
    ("attributes", "layout"), [("", "mid"), ('presenter="piph"', "piph"), ('presenter="other"', "alone")]
)
def test_layout_is_that_of_pod(attributes, layout):
    found = read_mediapackage(package(track("presenter/source", "c.webm"), attributes=attributes), URL)
    assert (found.layout, found.presentation, found.cutting) == (layout, None, None)


def test_of_several_tracks_of_one_type_the_last_counts():
    tracks = [track("presenter/source", f"https://pod.example.org/{name}") for name in ("1.webm", "2.webm")]
    assert read_mediapackage(package(*tracks), URL).presenter == "https://pod.example.org/2.webm"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (package(), "neither a presentation/source nor"),
        (b"", "cannot be read"),
        (b"<mediapackage>", "cannot be read"),
        (b'<!DOCTYPE m [<!ENTITY e SYSTEM "file:///etc/passwd">]><mediapackage>&e;</mediapackage>', "document type"),
        (b"<m>" + b"<a/>" * 10_001 + b"</m>", "more than 10000 elements"),
        (b"<m>" + b" " * (1 << 20) + b"</m>", "larger than 1 MiB"),
    ],
)
def test_document_that_is_no_mediapackage_is_refused(content, says):
    with pytest.raises(InvalidRequestError, match=says):
        read_mediapackage(content, URL)


@pytest.mark.parametrize(
    ("video", "cut"),
    [
        ('<video clipBegin="0.8s" clipEnd="4.327764s"/>', Cut(start_s=0.8, end_s=4.327764)),
        ('<video clipBegin="00:01:02.5" clipEnd="01:00:00"/>', Cut(start_s=62.5, end_s=3600)),
        ('<video clipBegin="0s"/><video clipBegin="9s"/>', None),
        ('<video clipEnd="7s"/>', Cut(end_s=7)),
        ("", None),
    ],
)
def test_cut_is_that_of_the_first_video(video, cut):
    assert read_cut(SMIL.format(video).encode()) == cut


@pytest.mark.parametrize(
    "video", ['<video clipBegin="5s" clipEnd="5s"/>', '<video clipBegin="x"/>', '<video clipBegin="99999999s"/>']
)
def test_cut_that_cannot_be_is_refused(video):
    with pytest.raises(InvalidRequestError, match=r"cut|time"):
        read_cut(SMIL.format(video).encode())
