"""Windows: spans of speech packed together, without the pauses, into what a model transcribes at once. Pure.

Whisper takes 30 s at a time, whether filled or not, and hallucinates where nobody speaks.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from operator import attrgetter

from podjobs.contract.ports.speech import SOUND_BYTES_PER_S, SOUND_HZ, WINDOW_S
from podjobs.transcription.spans import TimeSpan

MAX_SPEECH_S = WINDOW_S - 1.0
"""Below the model's own limit, so that the last word is complete."""
MIN_FILL = 0.7
"""A window may end once this share is filled: the end of a sentence is a better end than the 30th second."""
SAMPLE_BYTES = SOUND_BYTES_PER_S // SOUND_HZ


@dataclass(frozen=True)
class Window:
    """Spans of speech that are transcribed as one."""

    spans: tuple[TimeSpan, ...]

    def samples_from(self, sound: bytes) -> bytes:
        """Extract the window's sound from its part's."""
        return b"".join(sound[_byte_at(span.start_s) : _byte_at(span.end_s)] for span in self.spans)

    def locate(self, start_s: float, end_s: float) -> TimeSpan:
        """Find where a word of the window lies in the part: within the one span that holds the word's middle.

        Args:
            start_s: from the window's beginning.
            end_s: likewise.
        """
        ends_s = list(accumulate(span.length_s for span in self.spans))
        index = min(bisect_right(ends_s, (start_s + end_s) / 2), len(ends_s) - 1)
        span = self.spans[index]
        shift_s = span.start_s - (ends_s[index] - span.length_s)
        return TimeSpan(*(min(max(time_s + shift_s, span.start_s), span.end_s) for time_s in (start_s, end_s)))


def _byte_at(time_s: float) -> int:
    return round(time_s * SOUND_HZ) * SAMPLE_BYTES


def pack_windows(
    spans: Sequence[TimeSpan], max_s: float = MAX_SPEECH_S, speech: Sequence[TimeSpan] | None = None
) -> tuple[Window, ...]:
    """Pack whole spans into windows; a full window ends at its longest pause.

    Args:
        spans: in order, none longer than a window.
        max_s: in a window.
        speech: what of the spans is speech, in order, to tell how long a pause is: spans reach into it. None: all.
    """
    windows: list[Window] = []
    left = list(spans)
    while left:
        lengths_s = list(accumulate(span.length_s for span in left))
        fitting = max(1, bisect_right(lengths_s, max_s))
        if fitting < len(left):
            enough = min(fitting, bisect_right(lengths_s, max_s * MIN_FILL) + 1)
            fitting = max(
                range(enough, fitting + 1),
                key=lambda count: _pause_s(left[count - 1].end_s, left[count].start_s, speech or ()),
            )
        windows.append(Window(tuple(left[:fitting])))
        del left[:fitting]
    return tuple(windows)


def _pause_s(from_s: float, to_s: float, speech: Sequence[TimeSpan]) -> float:
    """How long nobody speaks, at least between two times; 0 if somebody speaks there."""
    following = bisect_right(speech, from_s, key=attrgetter("end_s"))
    if following < len(speech) and speech[following].start_s < to_s:
        return 0.0
    begin_s = speech[following - 1].end_s if following else from_s
    end_s = speech[following].start_s if following < len(speech) else to_s
    return max(to_s, end_s) - min(from_s, begin_s)
