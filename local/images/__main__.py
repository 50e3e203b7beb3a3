"""`python -m local.images`: what scripts/images calls."""

import argparse
import json
import os
import shlex
import subprocess
import sys
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from local.images.builders import Builder, BuilderError, Recipe, build_argv, choose_builder, is_usable, python_argv
from local.images.catalogue import BASE_IMAGE, IMAGES, PREFIX, REPOSITORY, read_revision, read_source, read_version
from local.images.sbom import bill_of_materials

INVENTORY = Path(__file__).with_name("inventory.py")
EXIT_FAILURE, EXIT_USAGE = 1, 2


def read_command_line(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line; ends the process if it is not valid."""
    parser = argparse.ArgumentParser(
        prog="scripts/images",
        description="Build the images of the adapter and the functions with docker, podman or buildah.",
        epilog="What follows -- is given to the builder: scripts/images xapi -- --network host",
    )
    add = parser.add_argument
    default = "; default: %(default)s"
    add("names", nargs="*", metavar="NAME", help=f"{', '.join(IMAGES)}; default: all of them")
    add("--builder", choices=[str(one) for one in Builder], help="default: the first that is usable")
    add("--base-image", default=BASE_IMAGE, help="of the Debian family, with Python 3.11 or newer" + default)
    add("--prefix", default=PREFIX, help="before the images' names, as registry.example.org/pod" + default)
    add("--pip-config", type=Path, metavar="FILE", help="pip's configuration for the build: a mirror, for instance")
    add("--ca", type=Path, metavar="FILE", help="certificate authorities that pip trusts during the build")
    add("--sbom", action="store_true", help="also write a bill of materials of each image (CycloneDX, JSON)")
    add("--output", type=Path, default=Path("sbom"), metavar="FOLDER", help="where these go" + default)
    own, further = _split(arguments)
    wanted = parser.parse_args(own)
    unknown = [name for name in wanted.names if name not in IMAGES]
    if unknown:
        parser.error(f"There is no image {', '.join(unknown)}. There are: {', '.join(IMAGES)}.")
    for file in filter(None, (wanted.pip_config, wanted.ca)):
        if not file.is_file():
            parser.error(f"The file {str(file)!r} is not there.")
    wanted.further = further
    return wanted


def _split(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Split a command line into what is for us and what is for the builder."""
    index = list(arguments).index("--") if "--" in arguments else len(arguments)
    return list(arguments[:index]), list(arguments[index + 1 :])


def main(arguments: Sequence[str]) -> int:
    """Build, and list. Returns the exit status."""
    wanted = read_command_line(arguments)
    recipe = Recipe(
        read_version(),
        read_revision(),
        read_source(),
        wanted.base_image,
        wanted.prefix,
        wanted.pip_config and wanted.pip_config.resolve(),
        wanted.ca and wanted.ca.resolve(),
        tuple(wanted.further),
    )
    try:
        builder = choose_builder(wanted.builder, is_usable)
    except BuilderError as error:
        print(error, file=sys.stderr)
        return EXIT_USAGE
    for name in dict.fromkeys(wanted.names or IMAGES):
        try:
            build(builder, name, recipe)
            if wanted.sbom:
                write_bill(builder, name, recipe, wanted.output)
        except subprocess.CalledProcessError as error:
            print(f"The image {name} is not complete. This command failed: {shlex.join(error.cmd)}", file=sys.stderr)
            return EXIT_FAILURE
    return 0


def build(builder: Builder, name: str, recipe: Recipe) -> None:
    """Build an image. Raises CalledProcessError; what the builder says is on its own stdout and stderr."""
    argv = build_argv(builder, name, recipe)
    print(f"Building {recipe.tags(name)[0]}: {shlex.join(argv)}", file=sys.stderr)
    # before its version 23, docker has two builders, and only this one knows secrets
    subprocess.run(argv, cwd=REPOSITORY, env=os.environ | {"DOCKER_BUILDKIT": "1"}, check=True)


def write_bill(builder: Builder, name: str, recipe: Recipe, folder: Path) -> None:
    """Write an image's bill of materials. Raises CalledProcessError."""
    tag, _ = recipe.tags(name)
    with _runnable(builder, tag) as target, INVENTORY.open("rb") as script:
        listed = subprocess.run(python_argv(builder, target), stdin=script, stdout=subprocess.PIPE, check=True).stdout
    title = f"{recipe.prefix}/{name}"
    document = bill_of_materials(title, recipe.version, json.loads(listed), uuid.uuid4(), datetime.now(UTC))
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}.cdx.json"
    file.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{file}: {len(document['components'])} components", file=sys.stderr)


@contextmanager
def _runnable(builder: Builder, tag: str) -> Iterator[str]:
    """What a builder can run: the image or, for buildah, a container made from it, which is removed afterwards."""
    if builder is not Builder.BUILDAH:
        yield tag
        return
    container = subprocess.run(
        [builder, "from", "--pull-never", tag], stdout=subprocess.PIPE, text=True, check=True
    ).stdout.strip()
    try:
        yield container
    finally:
        subprocess.run([builder, "rm", container], stdout=subprocess.DEVNULL, check=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
