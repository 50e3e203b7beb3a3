"""A wall clock that a test can set for one program alone. Needs Linux and a C compiler.

libfaketime would do the same, but redis-server's allocator looks at the clock before that library is ready.
"""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Self

SOURCE = Path(__file__).with_name("clock_shift.c")
OBSTACLE = "" if sys.platform == "linux" and shutil.which("cc") else "needs Linux and the C compiler `cc`"
"""Why no clock can be set here; empty if one can."""


@dataclass(frozen=True)
class ShiftedClock:
    """The clock of the programs that are started with its settings."""

    library: Path
    file: Path

    @classmethod
    def made_in(cls, folder: Path) -> Self:
        """Build what a program needs, in a folder."""
        clock = cls(folder / "clock_shift.so", folder / "clock_shift")
        subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", clock.library, SOURCE], check=True)
        clock.set_by(0)
        return clock

    @property
    def settings(self) -> dict[str, str]:
        """The environment variables of such a program."""
        return {"LD_PRELOAD": str(self.library), "CLOCK_SHIFT_FILE": str(self.file)}

    def set_by(self, shift_s: int) -> None:
        """Set it to the true time plus so many seconds."""
        written = self.file.with_suffix(".new")
        written.write_text(str(shift_s), encoding="ascii")
        written.replace(self.file)
