"""Judges what was written down against what was said: word error rate, words at joins, captions. Pure."""

import html
import re
from collections import Counter
from collections.abc import Sequence

import jiwer
import webvtt

from benchmarks.speech import Speech
from podjobs.transcription.cues import Cue

NEAR_S = 2.0
"""That near a cut a word belongs to the join."""


def read_cues(vtt: str) -> list[Cue]:
    """The cues of a WebVTT."""
    return [
        Cue(
            start_s=_seconds(caption.start),
            end_s=_seconds(caption.end),
            lines=tuple(html.unescape(line) for line in caption.lines),
        )
        for caption in webvtt.from_string(vtt).captions
    ]


def text_of(vtt: str) -> str:
    """All that is written in a WebVTT."""
    return " ".join(line for cue in read_cues(vtt) for line in cue.lines)


def _seconds(clock: str) -> float:
    total_s = 0.0
    for part in clock.split(":"):
        total_s = total_s * 60 + float(part)
    return total_s


def words_of(text: str) -> list[str]:
    """The words of a text in lower case, without punctuation."""
    return re.sub(r"[^a-z0-9 ]", "", re.sub(r"[-–—\s]", " ", text.lower())).split()


def word_error_rate(speech: Speech, vtt: str) -> float:
    """Of a transcription: words wrong, lost and invented, by words said."""
    return float(jiwer.wer(" ".join(words_of(speech.text)), " ".join(words_of(text_of(vtt))) or "-"))


def faults_at_joins(speech: Speech, vtt: str, whole_vtt: str, cuts_s: Sequence[float]) -> list[str]:
    """Words that are lost or too many near a cut, and not so where the sound was transcribed without that cut.

    Args:
        speech: what was said.
        vtt: what was written down, in parts.
        whole_vtt: what was written down of the whole.
        cuts_s: between the parts.

    Returns:
        A sentence for each word.
    """
    found, without = _word_faults(speech, vtt), _word_faults(speech, whole_vtt)
    faults = []
    for cut_s in cuts_s:
        near = _near(found, cut_s)
        faults += [f"{word!r} is {kind} at {cut_s:.1f} s" for kind, word in (near - _near(without, cut_s)).elements()]
    return faults


def _near(faults: Sequence[tuple[float, str, str]], cut_s: float) -> Counter[tuple[str, str]]:
    return Counter((kind, word) for time_s, kind, word in faults if abs(time_s - cut_s) <= NEAR_S)


def _word_faults(speech: Speech, vtt: str) -> list[tuple[float, str, str]]:
    """The time, the kind and the word of all that is lost or too many."""
    times_s = _times_of_words(speech)
    said, written = words_of(speech.text), words_of(text_of(vtt))
    aligned = jiwer.process_words(" ".join(said), " ".join(written) or "-")
    faults = []
    for chunk in aligned.alignments[0]:
        if chunk.type == "delete":
            faults += [(times_s[index], "lost", said[index]) for index in range(chunk.ref_start_idx, chunk.ref_end_idx)]
        elif chunk.type == "insert":
            # it stands between two words that were said: it counts where either of them is near
            time_s = times_s[min(chunk.ref_start_idx, len(times_s) - 1)]
            faults += [(time_s, "too many", written[index]) for index in range(chunk.hyp_start_idx, chunk.hyp_end_idx)]
    return faults


def _times_of_words(speech: Speech) -> list[float]:
    """When each word is said: flite does not tell, letters are taken to be equally long."""
    times_s = []
    for sentence in speech.sentences:
        words = words_of(sentence.text)
        letters = sum(len(word) for word in words)
        passed = 0.0
        for word in words:
            share = (passed + len(word) / 2) / letters
            times_s.append(sentence.start_s + share * (sentence.end_s - sentence.start_s))
            passed += len(word)
    return times_s
