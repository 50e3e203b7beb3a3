"""Ten hostile files beside one honest video, on a stack with two slots: how long the honest one has to wait."""

import json
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import Target, console, judge, new_table
from local.client import Progress
from support.hostile import TEN
from support.media import make_video
from support.processes import wait_for
from support.stack import RunningStack

HONEST_S = 20
SLOTS = 2
FACTOR = 3.0
LONGEST_WAIT_S = 1800
SETTINGS = {
    "PODJOBS_CONCURRENCY_ENCODING": str(SLOTS),
    "PODJOBS_ENCODING_SLOTS": str(SLOTS),
    # the presets of the ladder, not those with which tests of the stack save time
    "FFMPEG_PRESET": "",
}
HONEST_ID, FIRST_ID = 1, 100


@dataclass(frozen=True)
class Ended:
    """How a job ended."""

    took_s: float
    """From its request on."""
    progress: Progress


def run(folder: Path) -> int:
    """Encode the honest video alone, then with the ten before it on the queue."""
    work = folder / "hostile"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    honest = make_video(work / "honest.mp4", "-g", "50", duration_s=HONEST_S, size="1280x720")
    files = {name: work / name for name in TEN}
    for name, make in TEN.items():
        make(files[name])
    stack = RunningStack(work / "state", SETTINGS).start()
    try:
        alone = _wait(stack, {stack.send(honest, HONEST_ID): time.monotonic()})
        hostile = {stack.send(path, FIRST_ID + number): path.name for number, path in enumerate(files.values())}
        began_s = time.monotonic()
        honest_id = stack.send(honest, HONEST_ID)
        ended = _wait(stack, dict.fromkeys((*hostile, honest_id), began_s))
    finally:
        stack.stop()
    (alone_end,) = alone.values()
    return _report(
        {name: (files[name], ended[job_id]) for job_id, name in hostile.items()}, alone_end, ended[honest_id]
    )


def _wait(stack: RunningStack, began_s: dict[str, float]) -> dict[str, Ended]:
    """Wait for the end of jobs; their ids → when they were requested."""
    ended: dict[str, Ended] = {}

    def all_ended() -> bool:
        for job_id in began_s.keys() - ended:
            progress = stack.progress(job_id)
            if progress.ended:
                ended[job_id] = Ended(time.monotonic() - began_s[job_id], progress)
        return began_s.keys() == ended.keys()

    wait_for(all_ended, LONGEST_WAIT_S, lambda: json.dumps(sorted(began_s.keys() - ended)))
    return ended


def _report(hostile: dict[str, tuple[Path, Ended]], alone: Ended, beside: Ended) -> int:
    table = new_table("Ten hostile files, all requested before the honest one", "file", "bytes", "ended after", "")
    for name, (path, end) in hostile.items():
        said = end.progress.error.splitlines()[0] if end.progress.error else ""
        table.add_row(name, f"{path.stat().st_size:,}", f"{end.took_s:.1f} s", f"{end.progress.state}: {said[:90]}")
    console.print(table)
    factor = beside.took_s / alone.took_s
    waiting = [name for name, (_, end) in hostile.items() if not end.progress.ended]
    measured = f"{beside.took_s:.1f} s, alone {alone.took_s:.1f} s: × {factor:.2f}"
    good = beside.progress.state == alone.progress.state == "done"
    return judge(
        [
            Target(
                f"the honest video is ready within {FACTOR:g} × its time alone", measured, good and factor <= FACTOR
            ),
            Target("every hostile file has an end", f"{len(hostile) - len(waiting)} of {len(hostile)}", not waiting),
        ]
    )
