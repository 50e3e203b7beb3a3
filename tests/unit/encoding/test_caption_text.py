"""The encodings of subtitles."""

import pytest

from podjobs.encoding.caption_text import decode_text

FRENCH = "L'été, déjà\nà Nîmes : « naïf » – 5 €\nrien d'autre\n"
VIETNAMESE = "Tiếng Việt có nhiều dấu\n"


@pytest.mark.parametrize("text", [FRENCH, VIETNAMESE, "Привет, мир\n", "讲座\n", "", "\n\n"])
def test_decode_text_utf8_is_unchanged(text):
    assert decode_text(text.encode()) == (text, 0, 0)


def test_decode_text_windows_1252_is_read():
    assert decode_text(FRENCH.encode("cp1252")) == (FRENCH, 2, 0)


def test_decode_text_latin_1_is_read():
    text = "Où est-ce déjà ?\n"
    assert decode_text(text.encode("latin-1")) == (text, 1, 0)


def test_decode_text_lines_of_both_encodings_are_both_read():
    content = "déjà ".encode() + b"first\n" + "déjà second\n".encode("cp1252") + "讲座\n".encode()
    assert decode_text(content) == ("déjà first\ndéjà second\n讲座\n", 1, 0)


def test_decode_text_short_texts_are_read():
    """Too few letters to tell."""
    assert decode_text("Été\nÀ !\n".encode("cp1252")) == ("Été\nÀ !\n", 2, 0)


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Добрый день, уважаемые коллеги\n", "cp1251"),
        ("Добрый день, уважаемые коллеги\n", "koi8-r"),
        ("Καλημέρα σας, κυρίες και κύριοι\n", "cp1253"),
        ("今天的讲座介绍视频编码\n", "gb18030"),
        ("本日の講義は動画の符号化です\n", "shift-jis"),
        ("Bonjour à tous\n", "utf-16"),
    ],
)
def test_decode_text_of_another_encoding_is_left_out(text, encoding):
    found = decode_text(text.encode(encoding) + b"plain\n")
    assert found.read_as_fallback == 0
    assert found.left_out > 0
    assert "plain" in found.text


def test_decode_text_line_that_windows_1252_does_not_have_is_left_out_alone():
    """0x81 is none of its characters."""
    assert decode_text(b"d\xe9j\xe0\nbad \x81\nplain") == ("déjà\nplain", 1, 1)


def test_decode_text_control_characters_are_removed():
    assert decode_text(b"a\x00b\x1b[31mc\td\r\ne\x7f") == ("ab[31mc\td\ne", 0, 0)
