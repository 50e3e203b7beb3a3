"""What a function looks at when an operator asks how it is: each look is apart, and may fail or hang alone. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from podjobs.contract.examinations import Finding, Verdict

FUNCTION, MEDIA, TOOLS, POD, LRS = "functions", "media", "tools", "Pod", "LRS"
"""Subjects of findings, as they are shown."""


@dataclass(frozen=True, slots=True)
class Look:
    """One look."""

    subject: str
    part: str
    find: Callable[[], Iterable[Finding]]
    """Looks, in a thread of its own. May raise StepError, whose sentences are shown."""


def found(subject: str, part: str, fault: str, well: str = "") -> Finding:
    """What is a fault if there is a sentence about it.

    Args:
        subject: what it is about.
        part: what was examined.
        fault: what an operator should change; empty: nothing.
        well: said in that case.
    """
    return Finding(subject=subject, part=part, verdict=Verdict.FAULT if fault else Verdict.OK, said=fault or well)
