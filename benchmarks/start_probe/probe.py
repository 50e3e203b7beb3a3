"""A deployable that notes how far its start has got; benchmarks/start.py runs it in the deployable's place.

It stands before a function's main.py, as functions-framework's source or by itself; or before the adapter. DEPLOYABLE
names which, START_NOTES the file of the notes: a line each, what was reached, when on the system's monotonic clock, and
the processor time until then.
"""

import importlib
import json
import os
import resource
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]


def note(stage: str) -> None:
    """Note that a stage is reached."""
    with Path(os.environ["START_NOTES"]).open("a", encoding="utf-8") as notes:
        notes.write(f"{stage} {time.monotonic()} {time.process_time()}\n")


def load_main(function: str) -> ModuleType:
    """Import a function's main.py."""
    sys.path.insert(0, str(REPOSITORY / "functions" / function))
    return importlib.import_module("main")


def answer_one() -> None:
    """Answer the request in START_MESSAGE, as RQ's workers and Lambda have a function do it; print the answer."""
    handle_message = main.handle_message
    note("built")
    answer = handle_message(json.loads(Path(os.environ["START_MESSAGE"]).read_bytes()))
    note("answered")
    # not ru_maxrss: it begins with the parent's
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    print(json.dumps({**answer, "rssMib": pages * resource.getpagesize() / (1 << 20), "cpuS": sum(os.times()[:4])}))


def run_adapter() -> None:
    """Run the adapter until it is stopped."""
    from adapter.__main__ import adapter  # noqa: PLC0415 - its import is what is measured

    note("imported")
    adapter(["run"])


note("begun")
if os.environ["DEPLOYABLE"] == "adapter":
    run_adapter()
else:
    main = load_main(os.environ["DEPLOYABLE"])
    note("imported")
    if __name__ == "__main__":
        answer_one()


def __getattr__(name: str) -> Any:
    entry = getattr(main, name)
    note("built")
    return entry
