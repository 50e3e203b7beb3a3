"""What only becomes visible side by side: clocks that differ, versions that differ, media roots that differ. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from adapter.plurals import counted, plural
from podjobs.contract.examinations import Finding, Verdict

CLOCK_LIMIT_S = 5.0
"""Clocks may differ by so much: times that are shown are then a little odd, but nothing is decided by them."""


@dataclass(frozen=True, slots=True)
class Clock:
    """A clock, compared with that of this machine."""

    whose: str
    lead_s: float
    """By how many seconds it is ahead of ours."""


def compare_clocks(reference: Clock | None, others: Sequence[Clock]) -> Iterator[Finding]:
    """Compare clocks with one that all know.

    Args:
        reference: that of the jobs' Redis; None: it does not answer, and ours is taken.
        others: the others, ours not among them.
    """
    base = reference or Clock("this machine", 0.0)
    if not reference and not others:
        return
    mine = [Clock("this machine", 0.0)] if reference else []
    wrong = [clock for clock in (*mine, *others) if abs(clock.lead_s - base.lead_s) > CLOCK_LIMIT_S]
    if not wrong:
        said = f"{counted(len(mine) + len(others), 'clock was', 'clocks were')} compared with that of {base.whose}."
        yield Finding(subject="clocks", part="all", verdict=Verdict.OK, said=said)
    for clock in wrong:
        lead_s = clock.lead_s - base.lead_s
        how = f"{abs(lead_s):.0f} s {'ahead of' if lead_s > 0 else 'behind'}"
        said = f"The clock of {clock.whose} is {how} that of {base.whose}. Set both by NTP."
        yield Finding(subject="clocks", part=clock.whose, verdict=Verdict.FAULT, said=said)


def compare_versions(own: str, versions: Mapping[str, str]) -> Iterator[Finding]:
    """Compare versions with this program's.

    Args:
        own: version of this program.
        versions: who has which.
    """
    others = {who: version for who, version in versions.items() if version != own}
    if versions and not others:
        said = f"Adapters and functions are of version {own}, as this command."
        yield Finding(subject="versions", part="all", verdict=Verdict.OK, said=said)
    for who, version in others.items():
        said = f"The {who} is of version {version}, this command of version {own}. Install the same version everywhere."
        yield Finding(subject="versions", part=who, verdict=Verdict.FAULT, said=said)


def compare_media(ids: Mapping[str, str]) -> Iterator[Finding]:
    """Compare what functions see of the media root.

    Args:
        ids: function → id of the media root that it sees.
    """
    if len(ids) <= 1:
        return
    common, _ = Counter(ids.values()).most_common(1)[0]
    others = sorted(name for name, one in ids.items() if one != common)
    same = sorted(name for name, one in ids.items() if one == common)
    if not others:
        said = f"{_listed(same)} see the same media root."
        yield Finding(subject="media", part="mounts", verdict=Verdict.OK, said=said)
        return
    do = plural(len(others), "does", "do")
    said = (
        f"{_listed(others)} {do} not see the media root of {_lower(_listed(same))}. Mount Pod's media folder there, or "
        "correct MEDIA_URL there."
    )
    yield Finding(subject="media", part="mounts", verdict=Verdict.FAULT, said=said)


def _listed(functions: Sequence[str]) -> str:
    if len(functions) == 1:
        return f"The function {functions[0]}"
    return f"The functions {', '.join(functions[:-1])} and {functions[-1]}"


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]
