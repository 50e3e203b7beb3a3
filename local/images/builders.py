"""The programs that build images, and how they are told to. Pure, but for the question which of them is usable."""

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from local.images.catalogue import BASE_IMAGE, PREFIX, UNKNOWN, dockerfile

PIP_CONFIG, AUTHORITIES = "pip.conf", "ca.crt"
"""The secrets of a build, by the names that the Dockerfiles know them by."""


class Builder(StrEnum):
    """A program that builds images, in the order in which they are looked for."""

    DOCKER = "docker"
    PODMAN = "podman"
    BUILDAH = "buildah"


class BuilderError(Exception):
    """No image can be built; the message says why and what to do."""


@dataclass(frozen=True)
class Recipe:
    """What all images of a build have in common."""

    version: str
    revision: str
    """The commit that they are built from."""
    source: str = UNKNOWN
    """The address of the repository."""
    base_image: str = BASE_IMAGE
    prefix: str = PREFIX
    """What stands before the names of the images: perhaps a registry."""
    pip_config: Path | None = None
    """pip's configuration for the build; None: pip's defaults."""
    authorities: Path | None = None
    """Certificate authorities that pip trusts; None: those of the base."""
    further: tuple[str, ...] = ()
    """Options that the builder is given besides."""

    def tags(self, name: str) -> tuple[str, str]:
        """The tags of an image."""
        return f"{self.prefix}/{name}:{self.version}", f"{self.prefix}/{name}:latest"


def choose_builder(wanted: str | None, is_usable: Callable[[Builder], bool]) -> Builder:
    """Choose what builds.

    Args:
        wanted: the name of a builder; None: the first that is usable.
        is_usable: asks one.

    Raises:
        BuilderError: it is not usable, or none is.
    """
    candidates = [Builder(wanted)] if wanted else list(Builder)
    for builder in candidates:
        if is_usable(builder):
            return builder
    if wanted:
        raise BuilderError(f"{wanted} is not installed, or does not answer: `{wanted} version` fails.")
    raise BuilderError(
        "Neither docker, podman nor buildah is usable here. Install one of them, as with `apt-get install buildah`, or "
        "start the Docker engine; it is usable if `docker version` ends without an error."
    )


def is_usable(builder: Builder) -> bool:
    """Whether a builder is installed and answers; docker needs an engine for that."""
    if not shutil.which(builder):
        return False
    return subprocess.run([builder, "version"], capture_output=True, check=False).returncode == 0


def build_argv(builder: Builder, name: str, recipe: Recipe) -> list[str]:
    """The command that builds an image, to be run in the repository.

    Args:
        builder: what builds.
        name: of the image.
        recipe: what it is built from.
    """
    argv = [str(builder), "build", "--file", dockerfile(name)]
    if builder is not Builder.DOCKER:
        # OCI's own format has no health checks; and like docker, the others are to use again what they have built
        argv += ["--format", "docker", "--layers"]
    for argument, value in (
        ("BASE_IMAGE", recipe.base_image),
        ("VERSION", recipe.version),
        ("REVISION", recipe.revision),
        ("SOURCE", recipe.source),
    ):
        argv += ["--build-arg", f"{argument}={value}"]
    for secret, file in ((PIP_CONFIG, recipe.pip_config), (AUTHORITIES, recipe.authorities)):
        if file:
            argv += ["--secret", f"id={secret},src={file}"]
    for tag in recipe.tags(name):
        argv += ["--tag", tag]
    return [*argv, *recipe.further, "."]


def python_argv(builder: Builder, target: str) -> list[str]:
    """The command that runs Python, with a script on its standard input, in an image.

    Args:
        builder: what runs it.
        target: the image; for buildah, a working container that was made from it.
    """
    if builder is Builder.BUILDAH:
        return [str(builder), "run", target, "--", "python", "-"]
    return [str(builder), "run", "--rm", "--interactive", "--network", "none", "--entrypoint", "python", target, "-"]
