"""Words that a transcript lacks, and whether the job's log tells of them. Pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby

import jiwer
from whisper_normalizer.basic import BasicTextNormalizer
from whisper_normalizer.english import EnglishTextNormalizer

from podjobs.transcription.spans import TimeSpan
from support.real_speech.talk import Sentence

RUN = 3
"""So many words in a row that are missing are lost; fewer may have been misheard."""
TOLERANCE_S = 2.0
"""Of the times that the log tells."""
HEARD_SHARE = 0.5
"""Of its words: a sentence of which fewer were heard is lost."""
WORD_S = 0.6
"""At most, of those that the log quotes."""
NUMBERS = (
    "zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix", "onze", "douze", "treize",
    "quatorze", "quinze", "seize",
)  # fmt: skip
_english, _basic = EnglishTextNormalizer(), BasicTextNormalizer()
_PART = re.compile(r"In the part from (\d+):(\d\d) on: (.*)")
_SPAN = re.compile(r"from (\d+(?:\.\d+)?) s to (\d+(?:\.\d+)?) s")
_MOMENT = re.compile(r"At (\d+):(\d\d):(\d\d\.\d+)")


@dataclass(frozen=True)
class Comparison:
    """A transcript beside what was said."""

    words: int
    """That were said."""
    errors: int
    """Words that are wrong, missing or too many."""
    lost: int
    """Words that are missing in runs."""
    untold: int
    """Of these, words whose loss no sentence of the log tells."""
    lost_sentences: tuple[Sentence, ...]

    @property
    def error_rate(self) -> float:
        """Of the words that were said."""
        return self.errors / max(1, self.words)


@cache
def plain(text: str, language: str) -> str:
    """A text in the form that is compared: however numbers and spellings are written.

    Args:
        text: any.
        language: `en`; any other one is treated as French.
    """
    if language == "en":
        return str(_english(text))
    return " ".join(spelled for word in _basic(text).split() for spelled in _spell(word))


def _spell(word: str) -> list[str]:
    if not word.isdigit():
        return [word]
    if word == str(int(word)) and int(word) < len(NUMBERS):
        return [NUMBERS[int(word)]]
    return [NUMBERS[int(digit)] for digit in word]


def compare(said: Sequence[Sentence], heard: str, language: str, log: Iterable[str] = ()) -> Comparison:
    """Compare a transcript with what was said.

    Args:
        said: in order.
        heard: the transcript.
        language: of both.
        log: the job's.
    """
    words = [(word, place) for place, sentence in enumerate(said) for word in plain(sentence.text, language).split()]
    texts = " ".join(word for word, _ in words)
    output = jiwer.process_words(texts, plain(heard, language) or " ")
    missing = {
        index
        for chunk in output.alignments[0]
        if chunk.type == "delete"
        for index in range(chunk.ref_start_idx, chunk.ref_end_idx)
    }
    right = {
        index
        for chunk in output.alignments[0]
        if chunk.type == "equal"
        for index in range(chunk.ref_start_idx, chunk.ref_end_idx)
    }
    told = list(told_spans(log))
    runs = [run for run in _runs(sorted(missing)) if len(run) >= RUN]
    untold = sum(len(run) for run in runs if not _is_told(_span_of(run, words, said), told))
    errors = output.substitutions + output.deletions + output.insertions
    lost = [
        said[place]
        for place, group in groupby(range(len(words)), key=lambda index: words[index][1])
        if _share(list(group), right) < HEARD_SHARE and plain(said[place].text, language)
    ]
    return Comparison(len(words), errors, sum(map(len, runs)), untold, tuple(lost))


def _share(indexes: Sequence[int], right: set[int]) -> float:
    return sum(index in right for index in indexes) / len(indexes)


def _runs(indexes: Sequence[int]) -> list[list[int]]:
    runs: list[list[int]] = []
    for index in indexes:
        if runs and index == runs[-1][-1] + 1:
            runs[-1].append(index)
        else:
            runs.append([index])
    return runs


def _span_of(run: Sequence[int], words: Sequence[tuple[str, int]], said: Sequence[Sentence]) -> TimeSpan:
    """About when a run of words was said: its sentence's time, divided evenly among its words."""
    return TimeSpan(_time_of(run[0], 0, words, said), _time_of(run[-1], 1, words, said))


def _time_of(index: int, more: int, words: Sequence[tuple[str, int]], said: Sequence[Sentence]) -> float:
    place = words[index][1]
    indexes = [number for number, (_, other) in enumerate(words) if other == place]
    share = (index - indexes[0] + more) / len(indexes)
    return said[place].start_s + share * (said[place].end_s - said[place].start_s)


def _is_told(lost: TimeSpan, told: Sequence[TimeSpan]) -> bool:
    return any(span.widened(TOLERANCE_S).overlap_s(lost) > 0 for span in told)


def told_spans(log: Iterable[str]) -> Iterable[TimeSpan]:
    """The times of which the log tells, on the clock of the whole sound.

    Args:
        log: sentences about parts that say «from 4.5 s to 6.0 s», or «At 00:00:04.500» with what was left out; others
            tell of nothing.
    """
    for line in log:
        if not (part := _PART.match(line)):
            continue
        begin_s, sentence = 60 * int(part[1]) + int(part[2]), part[3]
        if span := _SPAN.search(sentence):
            yield TimeSpan(begin_s + float(span[1]), begin_s + float(span[2]))
        elif moment := _MOMENT.match(sentence):
            start_s = begin_s + 3600 * int(moment[1]) + 60 * int(moment[2]) + float(moment[3])
            quoted = sentence.partition("«")[2].rpartition("»")[0].split()
            yield TimeSpan(start_s, start_s + len(quoted) * WORD_S)
