"""Whatever people upload, a row each: what we make of it, beside what plain ffmpeg makes. See tests/support/corpus."""

import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from fnmatch import fnmatch
from functools import partial
from pathlib import Path

from rich.markup import escape

from benchmarks.measure import Target, console, judge, new_table
from podjobs.logs import configure_logs
from support.corpus.examine import BETTER, KEPT_OUT, REFUSED, SAME, WORSE, Verdict, count, examine
from support.corpus.kit import Row
from support.corpus.table import ROWS

COLOURS = {SAME: "green", BETTER: "green", REFUSED: "cyan", KEPT_OUT: "cyan", WORSE: "red"}
AREAS = sorted({row.area for row in ROWS})
REASONS = 3
"""So many are shown of a row."""


def run(folder: Path, processes: int, patterns: Sequence[str], *, keep: bool = False) -> int:
    """Examine all sources, or some, and print a table.

    Args:
        folder: where to work.
        processes: how many sources at a time.
        patterns: of names or areas; empty: all.
        keep: whether sources and results stay there.
    """
    rows = choose_rows(patterns)
    if not rows:
        console.print(f"No source is called like {' or '.join(patterns)}, and no area. Areas: {', '.join(AREAS)}.")
        return 2
    work = folder / "corpus"
    shutil.rmtree(work, ignore_errors=True)
    verdicts: dict[str, Verdict] = {}
    with ProcessPoolExecutor(processes, initializer=partial(configure_logs, "benchmarks", "ERROR")) as pool:
        pending = [pool.submit(_examine, row.name, work, keep=keep) for row in rows]
        for done in as_completed(pending):
            verdict = done.result()
            verdicts[verdict.row] = verdict
            why = f" ({verdict.reasons[0]})" if verdict.word == WORSE else ""
            console.print(f"{len(verdicts)}/{len(rows)} {verdict.row}: {verdict.word}{why}", style="dim", markup=False)
    if keep:
        console.print(f"Sources and results are in {work}.", markup=False)
    else:
        shutil.rmtree(work, ignore_errors=True)
    print_table(rows, verdicts)
    worse = count(list(verdicts.values()))[WORSE]
    return judge([Target("no source is worse than with plain ffmpeg", f"{worse} of {len(rows)}", holds=not worse)])


def choose_rows(patterns: Sequence[str]) -> list[Row]:
    """The sources whose name fits a pattern, or whose area is one; all if there is none."""
    return [row for row in ROWS if not patterns or any(fnmatch(row.name, p) or row.area == p for p in patterns)]


def _examine(name: str, work: Path, *, keep: bool) -> Verdict:
    row = next(row for row in ROWS if row.name == name)  # how a row is made cannot be sent to another process
    folder = work / name
    try:
        return examine(row, folder, work / "materials")
    except Exception as error:  # noqa: BLE001 - the other rows go on
        return Verdict(name, WORSE, (f"the comparison failed: {type(error).__name__}: {error}",))
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


def print_table(rows: Sequence[Row], verdicts: Mapping[str, Verdict]) -> None:
    """Print a line for each source, then how many there are of each verdict."""
    table = new_table(
        f"{len(rows)} sources, beside plain ffmpeg; scripts/bench corpus --keep SOURCE examines one again"
    )
    for column in ("source", "area", "what is odd", "verdict", "compared", "why"):
        table.add_column(column, overflow="fold")
    for row in rows:
        verdict = verdicts[row.name]
        why = "; ".join(verdict.reasons[:REASONS]) + ("; …" if verdict.reasons[REASONS:] else "")
        word = f"[{COLOURS[verdict.word]}]{verdict.word}[/]"
        compared = f"{verdict.frames} frames, {verdict.chirps} chirps" if verdict.frames or verdict.chirps else ""
        table.add_row(row.name, row.area, escape(row.about), word, compared, escape(why))
    console.print(table)
    totals = count(list(verdicts.values()))
    console.print(", ".join(f"{word} {number}" for word, number in totals.items()))
