"""How long something takes, for people. Pure."""

_TENTHS_S = 10
_UNITS = ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s"))


def format_seconds(seconds: float) -> str:
    """Format a duration, as 0.4 s, 12 s, 3 min 20 s, 2 h 5 min or 3 d 4 h."""
    if seconds < _TENTHS_S:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for size, unit, part, smaller in _UNITS:
        if whole >= size:
            rest = whole % size // part
            return f"{whole // size} {unit} {rest} {smaller}" if rest else f"{whole // size} {unit}"
    return f"{whole} s"


def format_about(seconds: float) -> str:
    """Format a duration that is not known exactly: as `format_seconds`, with steps that its size makes sensible."""
    for limit_s, step_s in ((60, 10), (600, 30), (3600, 60), (36000, 300)):
        if seconds < limit_s:
            return format_seconds(max(step_s, round(seconds / step_s) * step_s))
    return format_seconds(round(seconds / 3600) * 3600)
