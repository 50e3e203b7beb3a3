"""The images, really built, and containers that really run: scripts/test --all tests/images

Takes some minutes, as debootstrap makes a base and buildah all images. POD_FUNCTIONS_IMAGES names a folder in which
they are kept for the next time. Needs root on a Debian, where the tools are installed if they are missing.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.containers import BASE, Containers, ContainersError, install_tools
from support.transcriber import MODEL

KEPT = "POD_FUNCTIONS_IMAGES"
MODEL_IMAGE = "transcription:tiny.en"
BUILD_TIMEOUT_S = 1800


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.slow)
            # the first test waits for the images
            item.add_marker(pytest.mark.timeout(BUILD_TIMEOUT_S))


@pytest.fixture(scope="session")
def storage(tmp_path_factory) -> Iterator[Containers]:
    """A storage with a base, and no images of ours yet."""
    kept = os.environ.get(KEPT)
    containers = Containers(Path(kept) if kept else tmp_path_factory.mktemp("containers"))
    try:
        install_tools()
        containers.open()
    except ContainersError as error:
        pytest.skip(f"Images cannot be built and run here: {error}.")
    yield containers
    containers.close()
    if not kept:
        # what it has mounted goes with it; the folder is pytest's
        containers.buildah("rmi", "--all", "--force")


@pytest.fixture(scope="session")
def bills(tmp_path_factory) -> Path:
    """The folder of the images' bills of materials; written with `images`."""
    return tmp_path_factory.mktemp("bills")


@pytest.fixture(scope="session")
def images(storage, bills) -> Containers:
    """All images, and one with a speech model on top."""
    storage.build(options=["--sbom", "--output", str(bills)])
    argv = ["build", "--format", "docker", "--file", "layers/whisper/Dockerfile"]
    argv += ["--tag", f"pod-functions/{MODEL_IMAGE}"]
    arguments = {"BASE_IMAGE": BASE, "IMAGE": "localhost/pod-functions/transcription"}
    for name, value in {**arguments, "MODEL_NAME": "tiny.en"}.items():
        argv += ["--build-arg", f"{name}={value}"]
    storage.buildah(*argv, "--build-context", f"model={MODEL}", ".")
    return storage


@pytest.fixture(scope="session")
def package(tmp_path_factory) -> Callable[..., Path]:
    """Installs a package from PyPI, for this test alone; returns the folder."""

    def install(requirement: str, *options: str) -> Path:
        folder = tmp_path_factory.mktemp("package")
        argv = [sys.executable, "-m", "pip", "install", "-q", "--target", str(folder), *options, requirement]
        subprocess.run(argv, check=True)
        return folder

    return install
