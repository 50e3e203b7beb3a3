"""Collects ffmpeg and ffprobe, and exactly what they need, into a folder that becomes a layer of an image.

    python3 collect.py --without /packages.before /layer

The distribution's packages depend on far more: drivers of graphics cards, compilers for them, sound servers. What the
programs really load is what the dynamic linker names. Each file keeps its path, so that it is found without
any configuration, and its package keeps its record: `/var/lib/dpkg/status.d/<package>`, where scanners of images look
for packages without a package manager, and its licence in `/usr/share/doc/<package>/copyright`.

Standard library only: it runs in an image stage that has nothing else.

Source: ld.so(8), ldd(1); the convention of «distroless» images for status.d.
"""

import argparse
import re
import shutil
import subprocess
import sys
from pathlib import Path

PROGRAMS = ("ffmpeg", "ffprobe")
DOCUMENTATION = Path("/usr/share/doc")
RECORDS = Path("var/lib/dpkg/status.d")
MISSING = "not found"
_LIBRARY = re.compile(r"(?:=> )?(/\S+) \(0x[0-9a-f]+\)$")


class CollectionError(Exception):
    """Something that is needed is missing; the message names it."""


def read_libraries(listing: str) -> list[Path]:
    """Read the output of ldd.

    Returns:
        The libraries, by the names under which they are loaded.

    Raises:
        CollectionError: a library was not found.
    """
    lines = [line.strip() for line in listing.splitlines()]
    missing = [line for line in lines if line.endswith(MISSING)]
    if missing:
        raise CollectionError(f"ldd says: {'; '.join(missing)}. The packages of this base do not belong together.")
    return [Path(found.group(1)) for line in lines if (found := _LIBRARY.search(line))]


def real_place(path: Path) -> Path:
    """The path without links in its folders (`/lib` → `/usr/lib`); its last part stays, the name that is loaded."""
    return path.parent.resolve() / path.name


def read_stanzas(text: str) -> dict[str, str]:
    """Split a dpkg status file into the records of its packages, by their names."""
    stanzas = (stanza for stanza in text.split("\n\n") if stanza.strip())
    return {re.search(r"^Package: (.+)$", stanza, re.MULTILINE)[1]: f"{stanza.strip()}\n" for stanza in stanzas}


def _run(*argv: str) -> str:
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


def _owner(file: Path) -> str:
    """The package that a file belongs to. dpkg may know it under the path before folders were merged into /usr."""
    target = file.resolve()
    for path in dict.fromkeys((target, Path("/", *target.parts[2:]), file)):
        found = subprocess.run(["dpkg-query", "--search", path], capture_output=True, text=True, check=False).stdout
        if found:
            return found.split(":")[0]
    raise CollectionError(f"No package owns {file}.")


def collect(target: Path, present: frozenset[str]) -> None:
    """Copy the programs, their libraries, and the records of the packages these come from.

    Args:
        target: the folder that stands for `/`.
        present: packages that the image has anyway: their files are not copied.

    Raises:
        CollectionError: something is missing.
    """
    programs = []
    for name in PROGRAMS:
        path = shutil.which(name)
        if path is None:
            raise CollectionError(f"{name} is not installed.")
        programs.append(Path(path))
    files = dict.fromkeys(map(real_place, programs))
    for program in programs:
        files |= dict.fromkeys(map(real_place, read_libraries(_run("ldd", str(program)))))
    status = read_stanzas(Path("/var/lib/dpkg/status").read_text(encoding="utf-8"))
    for file in files:
        package = _owner(file)
        if package in present:
            continue
        copy = target / file.relative_to("/")
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file, copy)  # follows links: the library itself, under the name that is loaded
        record = target / RECORDS / package
        record.parent.mkdir(parents=True, exist_ok=True)
        record.write_text(status[package], encoding="utf-8")
        licence = DOCUMENTATION / package / "copyright"
        if licence.is_file():
            place = target / licence.relative_to("/")
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(licence, place)


def main() -> int:
    """Read the command line. Returns the exit status."""
    parser = argparse.ArgumentParser(description="Collect ffmpeg, ffprobe, and the libraries that they load.")
    parser.add_argument("--without", type=Path, required=True, help="a list of the packages that the image has anyway")
    parser.add_argument("target", type=Path, help="the folder to fill")
    wanted = parser.parse_args()
    try:
        collect(wanted.target, frozenset(wanted.without.read_text(encoding="utf-8").split()))
    except CollectionError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
