"""Parameters are read as each client writes them; what cannot be read is refused with a sentence."""

import json

import pytest

from adapter.door.runner.parameters import (
    Languages,
    RemoteDressing,
    read_cut,
    read_dressing,
    read_languages,
    read_position,
    read_renditions,
)
from podjobs.contract.errors import InvalidRequestError
from podjobs.contract.failure_kinds import FailureKind
from podjobs.contract.jobs import Cut, RenditionRequest
from support.runner_requests import RENDITIONS

EARLY = {h: {name: one[name] for name in ("resolution", "encode_mp4")} for h, one in RENDITIONS.items()}


def test_read_renditions_has_rates_and_mp4_as_asked_for():
    assert read_renditions(json.dumps(RENDITIONS), "v4") == (
        RenditionRequest(resolution="640x360", max_bps=1_125_000, audio_bps=96_000, mp4=True),
        RenditionRequest(resolution="1280x720", max_bps=3_000_000, audio_bps=128_000, mp4=True),
        RenditionRequest(resolution="1920x1080", max_bps=4_500_000, audio_bps=192_000, mp4=False),
    )


def test_read_renditions_of_early_clients_leave_rates_open():
    assert [(one.max_bps, one.audio_bps, one.mp4) for one in read_renditions(EARLY, "v4")] == [
        (None, None, True),
        (None, None, True),
        (None, None, False),
    ]


def test_read_renditions_of_the_newer_client_are_all_mp4_as_it_shows_nothing_else():
    assert [one.mp4 for one in read_renditions(json.dumps(EARLY), "v5")] == [True, True, True]


@pytest.mark.parametrize("nothing", [None, "", " ", {}, "{}", "null"])
def test_read_renditions_without_any_are_those_of_the_setting(nothing):
    assert read_renditions(nothing, "v4") == ()


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("{", "is not JSON"),
        ("[1]", "expected a JSON object"),
        ({"360": 7}, "rendition 360"),
        ({"360": {"resolution": "big"}}, "resolution: "),
        ({"360": {"resolution": "640x360", "video_bitrate": "fast"}}, "video_bitrate: "),
        ({"360": {"resolution": "640x360"}, "361": {"resolution": "480x360"}}, "one height twice"),
    ],
)
def test_read_renditions_that_cannot_be_meant_are_refused(value, reason):
    with pytest.raises(InvalidRequestError, match=reason):
        read_renditions(value, "v4")


@pytest.mark.parametrize(
    ("value", "cut"),
    [
        (None, None),
        ({"start": "00:00:00", "end": "00:10:00", "initial_duration": "00:10:00"}, None),
        ({"start": "00:00:10", "end": "00:10:00", "initial_duration": "00:10:00"}, Cut(start_s=10)),
        (
            {"start": "00:01:30.500000", "end": "01:00:00", "initial_duration": "02:00:00"},
            Cut(start_s=90.5, end_s=3600),
        ),
        ({"start": 5, "end": 7.5}, Cut(start_s=5, end_s=7.5)),
        ({"start": "", "end": "00:00:20"}, Cut(end_s=20)),
    ],
)
def test_read_cut_is_in_seconds(value, cut):
    assert read_cut(value) == cut
    assert read_cut(json.dumps(value)) == cut


@pytest.mark.parametrize(
    "value", ["{", "7", {"start": "soon"}, {"start": "00:00:20", "end": "00:00:10"}, {"start": -1}, {"start": [1]}]
)
def test_read_cut_that_cannot_be_meant_is_refused_as_such(value):
    with pytest.raises(InvalidRequestError) as refused:
        read_cut(value)
    assert refused.value.kind == FailureKind.CUT


def test_read_dressing_has_its_files_by_their_urls():
    value = {
        "watermark": "https://pod.example.org/media/files/logo.png",
        "watermark_position": "En bas à gauche",
        "watermark_opacity": "40",
        "opening_credits": "intro",
        "opening_credits_video": "https://pod.example.org/media/intro.mp4",
        "opening_credits_video_duration": "5",
    }
    assert read_dressing(json.dumps(value)) == RemoteDressing(
        watermark="https://pod.example.org/media/files/logo.png",
        position="bottom_left",
        opacity=0.4,
        opening="https://pod.example.org/media/intro.mp4",
        ending=None,
    )


@pytest.mark.parametrize("nothing", [None, "", "{}", {"watermark": None}, {"watermark_position": "top_left"}])
def test_read_dressing_without_files_is_none(nothing):
    assert read_dressing(nothing) is None


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ({"opening_credits": "intro"}, FailureKind.OPENING_CREDITS),
        ({"ending_credits": "outro", "ending_credits_video": ""}, FailureKind.ENDING_CREDITS),
        ({"watermark": "/media/logo.png"}, FailureKind.DRESSING),
        ({"watermark": "file:///etc/passwd"}, FailureKind.DRESSING),
        ({"watermark": "https://pod.example.org/l.png", "watermark_opacity": 101}, FailureKind.DRESSING),
        ({"watermark": "https://pod.example.org/l.png", "watermark_opacity": [1]}, FailureKind.DRESSING),
        ("slug", FailureKind.DRESSING),
    ],
)
def test_read_dressing_that_cannot_be_meant_is_refused(value, kind):
    with pytest.raises(InvalidRequestError) as refused:
        read_dressing(value)
    assert refused.value.kind == kind


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("top_right", "top_right"), ("top_left", "top_left"), ("bottom_right", "bottom_right"),
        ("bottom_left", "bottom_left"), ("Top left", "top_left"), ("En haut à droite", "top_right"),
        ("En haut à gauche", "top_left"), ("en bas à droite", "bottom_right"), ("Linksonder", "bottom_left"),
        ("", "top_right"), ("middle", "top_right"),
    ],
)  # fmt: skip
def test_read_position_knows_words_and_labels(text, position):
    assert read_position(text) == position


@pytest.mark.parametrize(
    ("language", "spoken", "expected"),
    [
        ("fr", "fr", Languages("fr", translate=False)),
        ("fr", "auto", Languages("fr", translate=False)),
        ("fr", None, Languages("fr", translate=False)),
        ("FR", "fr-FR", Languages("fr", translate=False)),
        ("en", "fr", Languages("fr", translate=True)),
        ("en", "auto", Languages("auto", translate=True)),
        ("auto", "fr", Languages("fr", translate=False)),
        ("", "", Languages("auto", translate=False)),
    ],
)
def test_read_languages_translates_into_english_alone(language, spoken, expected):
    assert read_languages({"language": language, "source_language": spoken}) == expected


def test_read_languages_knows_the_earlier_name():
    assert read_languages({"lang": "fr", "source_language": "auto"}) == Languages("fr", translate=False)


def test_read_languages_refuses_other_translations():
    with pytest.raises(InvalidRequestError, match="into English alone") as refused:
        read_languages({"language": "de", "source_language": "fr"})
    assert refused.value.kind == FailureKind.LANGUAGE
