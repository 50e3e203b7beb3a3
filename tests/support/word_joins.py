"""What happens to words where two parts of a sound meet."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import jiwer

from podjobs.contract.ports.speech import Word

NEAR_S = 0.5
"""Words that near to a cut on both sides may be one."""


@dataclass(frozen=True)
class JoinFaults:
    """Faults at all joins of a sound."""

    lost: int
    """Words of the text that are missing exactly there, their neighbours on both sides being heard."""
    doubled: int
    """Words that were heard before a cut and once more after it, and said once."""
    cut_through: int
    """Words whose time reaches over a cut."""


def count_join_faults(
    words: Sequence[Word], cuts_s: Sequence[float], said: str, normalize: Callable[[str], str]
) -> JoinFaults:
    """Look at the words around every cut.

    Args:
        words: heard, in order.
        cuts_s: where parts meet.
        said: what was said, normalised.
        normalize: brings a text to the form that is compared.
    """
    doubled = cut_through = 0
    for before, after in pairwise(words):
        for cut_s in cuts_s:
            if not before.start_s < cut_s <= after.end_s:
                continue
            first, second = normalize(before.text), normalize(after.text)
            near = cut_s - before.end_s < NEAR_S and after.start_s - cut_s < NEAR_S
            doubled += near and first == second and f" {first} {second} " not in f" {said} "
            cut_through += before.end_s > cut_s or after.start_s < cut_s
    return JoinFaults(_count_lost(words, cuts_s, said, normalize), doubled, cut_through)


def _count_lost(words: Sequence[Word], cuts_s: Sequence[float], said: str, normalize: Callable[[str], str]) -> int:
    tokens = [(token, word.start_s) for word in words for token in normalize(word.text).split()]
    alignment = jiwer.process_words(said, " ".join(token for token, _ in tokens)).alignments[0]
    lost = 0
    for chunk in alignment:
        if chunk.type != "delete" or not 0 < chunk.hyp_start_idx < len(tokens):
            continue
        before_s, after_s = tokens[chunk.hyp_start_idx - 1][1], tokens[chunk.hyp_start_idx][1]
        if any(before_s < cut_s <= after_s for cut_s in cuts_s):
            lost += chunk.ref_end_idx - chunk.ref_start_idx
    return lost
