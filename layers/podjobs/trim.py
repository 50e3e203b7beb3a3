"""Removes from an environment of Python packages what our functions never load: a third of its size.

    python3 trim.py /opt/venv

- botocore's descriptions of AWS services, but for those that are used, and those that provide credentials for them;
- the packages' own tests;
- debug information of compiled modules (67 MB of ctranslate2's): needs `strip`, of binutils.

What is removed is also taken from the packages' records, so that `pip check` and scanners of images stay right.
Standard library only, as it runs in an image stage; the environment's own Python is not used.
"""

import csv
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

AWS_SERVICES = frozenset({"lambda", "s3", "secretsmanager", "signin", "sso", "sso-oidc", "sts"})
"""Lambda, S3, Secrets Manager, and what boto3's chain of credentials asks. Source: boto3's guide «Credentials»."""
STRIPPED_FROM_BYTES = 1_000_000
"""Smaller modules are not worth the risk that goes with rewriting them."""
DEBUG_SHARE = 0.5
"""A module is only rewritten if that saves so much of it: it says that it was published unstripped by mistake."""


def unused_folders(packages: Path) -> Iterator[Path]:
    """Find the folders that are never loaded.

    Args:
        packages: the environment's `site-packages`.
    """
    for service in (packages / "botocore" / "data").glob("*/"):
        if service.name not in AWS_SERVICES:
            yield service
    for tests in packages.rglob("tests/"):
        if any(tests.glob("test_*.py")):
            yield tests


def strip_module(module: Path) -> None:
    """Remove the debug information of a compiled module, if that is most of it."""
    stripped = module.with_name(f"{module.name}.stripped")
    subprocess.run(["strip", "--strip-debug", "-o", stripped, module], check=True)
    if stripped.stat().st_size < DEBUG_SHARE * module.stat().st_size:
        shutil.copymode(module, stripped)
        stripped.replace(module)
    else:
        stripped.unlink()


def forget_missing(record: Path) -> None:
    """Take files that are gone from a package's list of files, and their hashes from those that have changed.

    Args:
        record: the package's RECORD. Source: PyPA, «Recording installed projects».
    """
    with record.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    kept = []
    for name, digest, size in rows:
        path = record.parents[1] / name
        if path.exists():
            changed = size and path.stat().st_size != int(size)
            kept.append((name, "", "") if changed else (name, digest, size))
    with record.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(kept)


def main() -> None:
    """Trim the environment that the command line names."""
    (packages,) = Path(sys.argv[1]).glob("lib/python3*/site-packages")
    for folder in list(unused_folders(packages)):
        shutil.rmtree(folder, ignore_errors=True)  # one may have been within another
    for module in packages.rglob("*.so"):
        if module.stat().st_size >= STRIPPED_FROM_BYTES:
            strip_module(module)
    for record in packages.glob("*.dist-info/RECORD"):
        forget_missing(record)


if __name__ == "__main__":
    main()
