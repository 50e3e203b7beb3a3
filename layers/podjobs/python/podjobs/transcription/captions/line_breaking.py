"""Line breaking: which text units share a line and a cue. Pure.

Of all ways to divide a recording into cues, the cheapest is chosen. The cost of a cue is the sum of

- CUE, so that there are no more than needed,
- the cost of the break after it and of those between its lines (see `break_costs`), and how uneven the lines are,
- the time missing to read it, if it appears with its first word and the next cue with its own,
- pauses within it, since its end is shown long before it is said,
- if it continues after the end of a sentence: how early the reader sees what follows, and that it does not begin or end
  with a sentence.

Dynamic programming over the position where a cue ends: since a cue is limited by its lines, the time is linear in the
length of the recording.
"""

import math
from collections.abc import Sequence
from itertools import accumulate, pairwise

from podjobs.transcription.captions.break_costs import SENTENCE
from podjobs.transcription.captions.rules import CueRules, columns
from podjobs.transcription.captions.text_units import TextUnit, pause_between

# Costs, on the scale of `break_costs`; chosen by reading captions of French and English lectures, slow and fast.
CUE = 0.6
CUE_BREAK = 1.5
"""Times the square of the break's cost: a bad break between cues is much worse than one between lines, a good one
hardly disturbs."""
LACKING_S = 4.0
"""Per second that is missing to read the cue."""
SHORT_S = 1.8
"""A shorter cue flashes by, even if it can be read."""
SHORT = 1.5
"""Per second below SHORT_S."""
PAUSE_S = 0.8
"""Per second above PAUSE_FROM_S of a pause within a cue."""
PAUSE_FROM_S = 0.4
LONG_WORD_S = 2.0
"""A word that lasts longer is drawn out, or includes silence: its cue may disappear before its end."""
EARLY_S = 0.3
"""Per second that another sentence is shown before it is said."""
TORN_SENTENCE = 1.2
"""For each end of a cue that tears a sentence apart while another begins within the cue."""
UNEVEN = 3.0
"""Times the square of how much each line is longer or shorter than the mean, in line widths."""
TOP_HEAVY = 0.1
"""For a first line longer than the last: the eye prefers a pyramid."""


class LineBreaker:
    """Breaks the text units of one recording."""

    def __init__(self, units: Sequence[TextUnit], rules: CueRules) -> None:
        self.units = units
        self.rules = rules
        widths = [columns(unit.text) for unit in units]
        advances = [width + unit.spaced for width, unit in zip(widths, units, strict=True)]
        self.right = [0, *accumulate(advances)]
        self.left = [end - width for end, width in zip(self.right[1:], widths, strict=True)]
        self.start_s = [*(unit.span.start_s for unit in units), math.inf]
        self.end_s = [unit.span.end_s for unit in units]
        self.pause_s = [pause_between(before, after) for before, after in pairwise((*units[:1], *units))]
        self.cost = [*(unit.cost for unit in units), SENTENCE]
        self.cue_break = [CUE_BREAK * cost**2 for cost in self.cost]
        self.pauses = [0.0, *accumulate(max(0.0, pause_s - PAUSE_FROM_S) for pause_s in self.pause_s)]
        beginnings = [index if cost == SENTENCE else 0 for index, cost in enumerate(self.cost)]
        self.sentence = [0, *accumulate(beginnings, max)]
        """For each position, the last unit before it that begins a sentence."""

    def choose_cues(self) -> list[list[tuple[int, int]]]:
        """Divide the recording into cues.

        Returns:
            For each cue its lines, each a half-open range of units.
        """
        count = len(self.units)
        best = [0.0, *([math.inf] * count)]
        chosen: list[tuple[int, tuple[int, ...]]] = [(0, ())] * (count + 1)
        for first in range(count):
            for end in range(first + 1, self._last_end(first) + 1):
                # Skip what cannot be cheaper, however its lines are broken.
                if best[first] + CUE + self.cue_break[end] >= best[end]:
                    continue
                cost = best[first] + self._cue_cost(first, end)
                if cost >= best[end]:
                    continue
                lines_cost, breaks = self._break_lines(first, end)
                if cost + lines_cost < best[end]:
                    best[end], chosen[end] = cost + lines_cost, (first, breaks)
        cues: list[list[tuple[int, int]]] = []
        end = count
        while end:
            first, breaks = chosen[end]
            cues.append(list(zip((first, *breaks), (*breaks, end), strict=True)))
            end = first
        return cues[::-1]

    def _last_end(self, first: int) -> int:
        """The farthest end of a cue: its text and its time must fit, and a long pause ends it."""
        rules = self.rules
        limit = self.left[first] + min(rules.max_lines * (rules.line_chars + 1) - 1, rules.max_cue_chars)
        # Minus what closing a gap may add.
        limit_s = self.start_s[first] + rules.max_s - rules.min_gap_s
        end = first + 1
        while (
            end < len(self.units)
            and self.right[end + 1] <= limit
            and min(self.end_s[end], self.start_s[end] + LONG_WORD_S) <= limit_s
            and self.pause_s[end] < rules.long_pause_s
        ):
            end += 1
        return end

    def _cue_cost(self, first: int, end: int) -> float:
        """The cost of a cue without that of its lines."""
        stay_s = min(self.start_s[end] - self.start_s[first], self.rules.max_s)
        needed_s = self.rules.needed_s(self.right[end] - self.left[first])
        cost = CUE + self.cue_break[end] + LACKING_S * max(0.0, needed_s - stay_s) + SHORT * max(0.0, SHORT_S - stay_s)
        cost += PAUSE_S * (self.pauses[end] - self.pauses[first + 1])
        if (sentence := self.sentence[end]) > first:
            cost += EARLY_S * (self.start_s[sentence] - self.start_s[first])
            cost += TORN_SENTENCE * ((self.cost[first] != SENTENCE) + (self.cost[end] != SENTENCE))
        return cost

    def _break_lines(self, first: int, end: int) -> tuple[float, tuple[int, ...]]:
        """Break a cue's text into as few lines as hold it.

        Returns:
            The cost, infinite if it is impossible, and the units that begin the second and further lines.
        """
        width = self.right[end] - self.left[first]
        if width <= self.rules.line_chars:
            return 0.0, ()
        ways = (
            self._break_into(first, end, count, width / count)
            for count in range(2, self.rules.max_lines + 1)
            if width <= count * (self.rules.line_chars + 1) - 1
        )
        # the end of a line takes the place of a space: where there is none, it is one more
        room = self.rules.max_cue_chars - width
        fitting = (way for way in ways if sum(not self.units[place].spaced for place in way[1]) <= room)
        return next((way for way in fitting if way[0] < math.inf), (math.inf, ()))

    def _break_into(self, first: int, end: int, count: int, mean: float) -> tuple[float, tuple[int, ...]]:
        """Break a text into a number of lines.

        Args:
            first: unit.
            end: the unit after the last one.
            count: lines.
            mean: width of each line if all were equal, columns.
        """
        longest = self.rules.line_chars
        width = self.right[end] - self.left[first]
        if count == 1:
            return (UNEVEN * ((width - mean) / longest) ** 2 if width <= longest else math.inf), ()
        best: tuple[float, tuple[int, ...]] = (math.inf, ())
        for place in range(end - 1, first, -1):
            if self.right[end] - self.left[place] > (count - 1) * (longest + 1) - 1:
                break
            line = self.right[place] - self.left[first]
            if line > longest:
                continue
            cost = self.cost[place] + UNEVEN * ((line - mean) / longest) ** 2 + TOP_HEAVY * (line > mean)
            rest, breaks = self._break_into(place, end, count - 1, mean)
            if cost + rest < best[0]:
                best = (cost + rest, (place, *breaks))
        return best
