"""Whatever people upload, a row each: what we make of it, beside what plain ffmpeg makes. See tests/support/corpus."""

import shutil
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from fnmatch import fnmatch
from functools import partial
from pathlib import Path

from benchmarks.measure import Target, console, judge, new_table
from podjobs.logs import configure_logs
from support.corpus.examine import BETTER, KEPT_OUT, REFUSED, SAME, WORSE, Verdict, count, examine
from support.corpus.kit import Row
from support.corpus.table import ROWS

COLOURS = {SAME: "green", BETTER: "green", REFUSED: "cyan", KEPT_OUT: "cyan", WORSE: "red"}
REASONS = 3
"""So many are shown of a row."""


def run(folder: Path, processes: int, patterns: Sequence[str]) -> int:
    """Examine all sources, or some, and print a table.

    Args:
        folder: where to work; sources that were made stay there.
        processes: how many sources at a time.
        patterns: of names or areas; empty: all.
    """
    rows = [row for row in ROWS if not patterns or any(fnmatch(row.name, p) or row.area == p for p in patterns)]
    work = folder / "corpus"
    shutil.rmtree(work, ignore_errors=True)
    verdicts: dict[str, Verdict] = {}
    with ProcessPoolExecutor(processes, initializer=partial(configure_logs, "benchmarks", "ERROR")) as pool:
        pending = [pool.submit(_examine, row.name, work) for row in rows]
        for done in as_completed(pending):
            verdict = done.result()
            verdicts[verdict.row] = verdict
            why = f" ({verdict.reasons[0]})" if verdict.word == WORSE else ""
            console.print(f"{len(verdicts)}/{len(rows)} {verdict.row}: {verdict.word}{why}", style="dim", markup=False)
    shutil.rmtree(work, ignore_errors=True)
    _print(rows, verdicts)
    worse = count(list(verdicts.values()))[WORSE]
    return judge([Target("no source is worse than with plain ffmpeg", f"{worse} of {len(rows)}", holds=not worse)])


def _examine(name: str, work: Path) -> Verdict:
    row = next(row for row in ROWS if row.name == name)  # how a row is made cannot be sent to another process
    folder = work / name
    try:
        return examine(row, folder, work / "materials")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _print(rows: Sequence[Row], verdicts: dict[str, Verdict]) -> None:
    table = new_table(f"{len(rows)} sources, beside plain ffmpeg")
    for column in ("source", "area", "what is odd", "verdict", "why"):
        table.add_column(column, overflow="fold")
    for row in rows:
        verdict = verdicts[row.name]
        why = "; ".join(verdict.reasons[:REASONS]) + ("; …" if verdict.reasons[REASONS:] else "")
        word = f"[{COLOURS[verdict.word]}]{verdict.word}[/]"
        table.add_row(row.name, row.area, row.about, word, why)
    console.print(table)
    totals = count(list(verdicts.values()))
    console.print(", ".join(f"{word} {number}" for word, number in totals.items()))
