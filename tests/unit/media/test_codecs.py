"""The table of codecs: each is decided once, and what an operator writes means what it says."""

import json

import pytest

from podjobs.encoding.settings import EncodingSettings
from podjobs.media.codecs import ACCEPTED, CODECS, DECODERS, REFUSED, add_codec, name_codecs, name_decoders


def test_codecs_each_is_decided_once():
    decided = [name for table in (ACCEPTED, REFUSED) for names in table.values() for name in names.split()]
    assert len(decided) == len(set(decided))


def test_decoders_are_named_for_decided_codecs_only():
    assert set(DECODERS) <= {
        name for table in (ACCEPTED, REFUSED) for names in table.values() for name in names.split()
    }


@pytest.mark.parametrize(
    ("written", "codecs"),
    [
        (["h264", "aac", "h264"], ("h264", "aac")),
        (["tscc"], ("tscc",)),
        (["camtasia"], ("tscc",)),  # a decoder's name
        (["on2avc", "avc"], ("avc",)),
        (["mp3", "ssa", "subrip", "mpegvideo"], ("mp3", "ssa", "subrip", "mpeg2video")),
        (["default"], CODECS),
        (["default", "magicyuv", "aac"], (*CODECS, "magicyuv")),
        (["of_a_later_ffmpeg"], ("of_a_later_ffmpeg",)),
    ],
)
def test_name_codecs_knows_decoders_and_the_default(written, codecs):
    assert name_codecs(written) == codecs


def test_name_decoders_each_codec_has_its_own():
    assert name_decoders(["tscc", "mp3", "h264", "of_a_later_ffmpeg"]) == (
        "camtasia",
        "mp3float",
        "mp3",
        "h264",
        "of_a_later_ffmpeg",
    )


@pytest.mark.parametrize(
    ("accepted", "codec", "value"),
    [
        (CODECS, "snow", ["default", "snow"]),
        ((*CODECS, "g2m"), "snow", ["default", "g2m", "snow"]),
        (("h264", "aac"), "camtasia", ["h264", "aac", "tscc"]),
    ],
)
def test_add_codec_writes_a_value_that_accepts_it(accepted, codec, value):
    assert json.loads(add_codec(accepted, codec)) == value
    assert set(name_codecs(value)) == {*accepted, *name_codecs([codec])}


def test_settings_codecs_are_ours_unless_the_operator_lists_others(monkeypatch):
    assert EncodingSettings(media_root="/media").podjobs_codecs == CODECS
    monkeypatch.setenv("PODJOBS_CODECS", '["default", "camstudio", "eatgq"]')
    assert EncodingSettings(media_root="/media").podjobs_codecs == (*CODECS, "tgq")
