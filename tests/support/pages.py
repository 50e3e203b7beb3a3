"""What pages for people tell them to type."""

import re
from pathlib import Path


def shell_commands(page: Path) -> list[str]:
    """All lines of a page's blocks of shell commands, in order."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    return [line for block in blocks for line in block.splitlines() if line.strip()]
