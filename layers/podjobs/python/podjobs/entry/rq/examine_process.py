"""The process that examines a function beside its workers: `python -m podjobs.entry.rq.examine_process SOURCE`.

The last line that it prints is the report, as JSON. The speech models are left out: the workers had to load them before
they began.
"""

import sys
from contextlib import suppress
from pathlib import Path
from signal import SIGKILL
from typing import Any

from podjobs.backends.kernel import KernelRefusedError, die_with_parent
from podjobs.entry.definition import FunctionDefinition, open_endpoint
from podjobs.entry.rq.source import load_source

LIMIT_S = 2.5
"""For all looks together: whoever asks waits for five seconds in all."""


def main(source: Path) -> None:
    """Print the report.

    Args:
        source: the function's main.py.
    """
    with suppress(KernelRefusedError):
        die_with_parent(SIGKILL)
    definition: FunctionDefinition[Any, Any, Any] = load_source(source).FUNCTION
    endpoint, _ = open_endpoint(definition)
    endpoint.examined = ""
    sys.stdout.write(endpoint.report(LIMIT_S).model_dump_json() + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
