"""WebVTT holds what the cues hold."""

import html

import webvtt
from hypothesis import given

from podjobs.transcription.captions.cues import Cue, make_cues
from podjobs.transcription.captions.webvtt import render_webvtt
from support.words import LANGUAGES, any_words


@given(words=any_words(), language=LANGUAGES)
def test_render_webvtt_any_words_are_read_back(words, language):
    cues = make_cues(words, language)
    read = webvtt.from_string(render_webvtt(cues)).captions
    assert [tuple(html.unescape(line) for line in caption.lines) for caption in read] == [cue.lines for cue in cues]
    assert [caption.start_in_seconds for caption in read] == [int(cue.start_s) for cue in cues]


def test_render_webvtt_text_is_escaped():
    cues = [Cue(start_s=1, end_s=2.5, lines=("a < b & c > d", "00:01.000 --> 00:02.000"))]
    assert render_webvtt(cues) == (
        "WEBVTT\n\n00:00:01.000 --> 00:00:02.500\na &lt; b &amp; c &gt; d\n00:01.000 --&gt; 00:02.000\n"
    )


def test_render_webvtt_without_cues_is_a_valid_file():
    assert render_webvtt([]) == "WEBVTT\n"
