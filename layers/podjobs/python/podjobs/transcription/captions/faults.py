"""Faults: the rules that cues break. Pure."""

from collections.abc import Sequence
from itertools import pairwise

from podjobs.transcription.captions.cues import Cue
from podjobs.transcription.captions.rules import TOLERANCE_S, CueRules, columns


def find_faults(cues: Sequence[Cue], rules: CueRules) -> list[str]:
    """List the rules that cues break, as far as the speech leaves a choice.

    A cue that is too short or too fast is at fault only if it could stay on screen during a silence that follows.

    Args:
        cues: in order; their times in seconds.
        rules: the rules to check.

    Returns:
        A sentence for each fault, with the number of the cue, from 1.
    """
    faults: list[str] = []
    for number, cue in enumerate(cues, start=1):
        following_s = cues[number].start_s if number < len(cues) else float("inf")
        found = _line_faults(cue, rules) + _time_faults(cue, following_s, rules)
        faults += [f"Cue {number} {fault}." for fault in found]
    for number, (before, after) in enumerate(pairwise(cues), start=2):
        gap_s = after.start_s - before.end_s
        if gap_s < -TOLERANCE_S / 2:
            faults.append(f"Cue {number} begins {-gap_s:.3f} s before the previous one ends.")
        elif TOLERANCE_S / 2 < gap_s < rules.min_gap_s - TOLERANCE_S:
            faults.append(f"Cue {number} comes after a gap of {gap_s:.3f} s, which flickers.")
    return faults


def _line_faults(cue: Cue, rules: CueRules) -> list[str]:
    faults = [
        f"has a line of {columns(line)} characters, more than {rules.line_chars}"
        for line in cue.lines
        if columns(line) > rules.line_chars
    ]
    if cue.chars > rules.max_cue_chars:
        faults.append(f"has {cue.chars} characters, more than {rules.max_cue_chars}")
    if len(cue.lines) > rules.max_lines:
        faults.append(f"has {len(cue.lines)} lines, more than {rules.max_lines}")
    if not cue.lines or not all(line.strip() for line in cue.lines):
        faults.append("has an empty line or no line at all")
    return faults


def _time_faults(cue: Cue, following_s: float, rules: CueRules) -> list[str]:
    duration_s = cue.end_s - cue.start_s
    if cue.start_s < 0 or duration_s <= 0:
        return [f"lasts from {cue.start_s:.3f} s to {cue.end_s:.3f} s"]
    if duration_s > rules.max_s + TOLERANCE_S:
        return [f"is on screen for {duration_s:.3f} s, more than {rules.max_s:g} s"]
    if duration_s >= min(rules.needed_s(cue.chars), _longest_s(cue, following_s, rules)) - TOLERANCE_S:
        return []
    if duration_s < rules.min_s - TOLERANCE_S:
        return [f"is on screen for {duration_s:.3f} s, less than {rules.min_s:g} s, although silence follows"]
    speed = cue.chars / duration_s
    return [f"asks for {speed:.1f} characters/s, more than {rules.max_chars_per_s:g}, although silence follows"]


def _longest_s(cue: Cue, following_s: float, rules: CueRules) -> float:
    """How long a cue may stay: until the next one appears or, if that is too long, at most until the gap before it."""
    room_s = following_s - cue.start_s
    return room_s if room_s <= rules.max_s else min(rules.max_s, room_s - rules.min_gap_s)
