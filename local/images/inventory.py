"""Lists the packages of the image in which it runs, as JSON on stdout. Run by the image's own Python, from stdin.

Standard library only, and nothing of ours: it is not part of the image.
"""

import json
import platform
import re
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

STATUS, MORE = Path("/var/lib/dpkg/status"), Path("/var/lib/dpkg/status.d")
"""What dpkg has installed; and, a file each, packages of which parts were copied."""
DOCUMENTATION = Path("/usr/share/doc")
NAME_LENGTH = 80
"""A longer licence of a Python package is its text, not its name."""
_FIELD = re.compile(r"^([A-Za-z-]+): (.*)$", re.MULTILINE)
_LICENCE = re.compile(r"^License: *(\S.*)$", re.MULTILINE)


def debian_packages() -> Iterator[dict[str, object]]:
    """Debian's packages, of which all or some files are in the image."""
    texts = [file.read_text(encoding="utf-8") for file in (STATUS, *sorted(MORE.glob("*"))) if file.is_file()]
    for stanza in "\n\n".join(texts).split("\n\n"):
        fields = dict(_FIELD.findall(stanza))
        if fields.get("Status", "").endswith(" installed"):
            yield {
                "name": fields["Package"],
                "version": fields["Version"],
                "architecture": fields["Architecture"],
                "licences": debian_licences(DOCUMENTATION / fields["Package"] / "copyright"),
            }


def debian_licences(file: Path) -> list[str]:
    """The names of a package's licences. Source: Debian, «Machine-readable debian/copyright file», 1.0."""
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return list(dict.fromkeys(name.strip() for name in _LICENCE.findall(text)))


def python_packages() -> Iterator[dict[str, object]]:
    """Python's packages."""
    for distribution in distributions():
        yield {
            "name": distribution.metadata["Name"],
            "version": distribution.version,
            "licences": python_licences(distribution),
        }


def python_licences(distribution: Distribution) -> list[str]:
    """The names of a package's licences, or one SPDX expression. Source: PyPA, «Core metadata», 2.4."""
    # Any: it is a message, which has `get`, but it is not typed as one
    fields: Any = distribution.metadata
    if expression := fields.get("License-Expression"):
        return [expression]
    name = (fields.get("License") or "").strip()
    if name and len(name) < NAME_LENGTH and "\n" not in name:
        return [name]
    classifiers = fields.get_all("Classifier") or ()
    return [line.split(" :: ")[-1] for line in classifiers if line.startswith("License ::")]


def main() -> None:
    """Write the list."""
    system = platform.freedesktop_os_release()
    listed = {
        "system": {"id": system["ID"], "version": system.get("VERSION_ID", ""), "name": system["NAME"]},
        "debian": sorted(debian_packages(), key=lambda one: str(one["name"])),
        "python": sorted(python_packages(), key=lambda one: str(one["name"]).lower()),
    }
    json.dump(listed, sys.stdout)


if __name__ == "__main__":
    main()
