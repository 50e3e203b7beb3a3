"""Processors over the day, as a picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

HOURS = range(0, 25, 3)
"""Marked on the axis, which ends with the last."""
COLOURS = ("#0b6e99", "#c2571a", "#4c8c2b", "#444444", "#a33b6f")


@dataclass(frozen=True)
class Curve:
    """A way to have instances."""

    name: str
    steps: Sequence[tuple[float, int]]
    """(time, processors from then on)."""


def draw(curves: Sequence[Curve], path: Path) -> None:
    """Write a PNG with a small diagram for each curve, all on the same scale.

    Args:
        curves: at least one.
        path: the file.
    """
    import matplotlib as mpl  # noqa: PLC0415 - only this benchmark needs it

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    most = max(count for curve in curves for _, count in curve.steps)
    end_h = HOURS[-1]
    figure, axes = plt.subplots(len(curves), 1, figsize=(9, 1.55 * len(curves)), sharex=True, sharey=True)
    for axis, curve, colour in zip(axes, curves, COLOURS, strict=False):
        times_h = [min(end_h, time_s / 3600) for time_s, _ in curve.steps] + [end_h]
        counts = [count for _, count in curve.steps]
        axis.fill_between(times_h, [*counts, counts[-1]], step="post", color=colour, alpha=0.75, linewidth=0)
        axis.set_title(curve.name, loc="left", fontsize=10)
        axis.grid(visible=True, color="#dddddd", linewidth=0.6)
        axis.set_axisbelow(True)
        axis.set_xlim(0, end_h)
        axis.set_ylim(0, most * 1.05)
    axes[-1].set_xticks(list(HOURS), [f"{hour} h" for hour in HOURS])
    figure.supylabel("processors", fontsize=10)
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=100, facecolor="white")
    plt.close(figure)
