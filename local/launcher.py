"""Replaces itself with a program in an environment of its own: `python launcher.py FILE PROGRAM [ARGUMENT …]`.

supervisord would hand its own environment to all programs, or read theirs from a file that everybody may read and that
stays. This file is its owner's alone, and is removed with the stack; it lasts as long, as any program may have to be
started again at any time. Run as a script, isolated: nothing but this file and the standard library is loaded.
"""

import json
import os
import sys


def launch(file: str, argv: list[str]) -> None:
    """Become the program.

    Args:
        file: JSON, the program's environment.
        argv: the program and its arguments.
    """
    try:
        with open(file, encoding="ascii") as opened:  # noqa: PTH123 - pathlib takes longer to load than all the rest
            environment = json.load(opened)
        os.execvpe(argv[0], argv, environment)  # noqa: S606 - argv comes from our own configuration
    except OSError as error:
        sys.exit(f"The program {argv[0]!r} cannot be started: {error}")


if __name__ == "__main__":
    launch(sys.argv[1], sys.argv[2:])
