"""What all Dockerfiles have to keep."""

import re
import subprocess

import pytest

from local.images.catalogue import BASE_IMAGE, IMAGES, REPOSITORY, dockerfile
from support.checkers import find_checker

FILES = {name: (REPOSITORY / dockerfile(name)).read_text(encoding="utf-8") for name in IMAGES}
MODEL = "layers/whisper/Dockerfile"
SHARED = ("python", "library", "ffmpeg", "packages")
"""Stages of which images share layers."""


def stages(text):
    """Stage → its lines without comments; the last one has no name."""
    found = re.split(r"^(?=FROM )", text, flags=re.MULTILINE)[1:]
    names = [re.match(r"FROM \S+(?: AS (\S+))?", stage)[1] for stage in found]
    kept = [[line for line in stage.splitlines() if line and line[0] != "#"] for stage in found]
    return dict(zip(names, kept, strict=True))


@pytest.mark.parametrize("stage", SHARED)
def test_dockerfiles_that_have_a_stage_in_common_have_the_same_text_in_it(stage):
    texts = {tuple(re.sub(r"(functions/)?\w+/requirements", "requirements", line) for line in parts[stage])
             for text in FILES.values() if stage in (parts := stages(text))}  # fmt: skip
    assert len(texts) == 1


def test_dockerfiles_end_alike_so_that_images_share_their_layers():
    for text in FILES.values():
        assert stages(text)[None][:2] == ["FROM python", "COPY --from=library /opt /opt"]


@pytest.mark.parametrize("name", IMAGES)
def test_dockerfile_keeps_what_is_promised_of_every_image(name):
    text = FILES[name]
    assert f"ARG BASE_IMAGE={BASE_IMAGE}\n" in text
    assert re.findall(r"^FROM (\S+)", text, re.MULTILINE)[0] == "${BASE_IMAGE}"
    last = stages(text)[None]
    assert "USER 10001:10001" in last
    assert any(line.startswith("HEALTHCHECK ") and line.endswith('CMD ["healthy"]') for line in last)
    assert any("org.opencontainers.image.version" in line for line in last)
    assert "--require-hashes" in text
    assert not any(line.startswith("RUN") for line in last)


@pytest.mark.parametrize("file", [*map(dockerfile, IMAGES), MODEL])
def test_dockerfile_has_no_fault_that_hadolint_finds(file):
    argv = [find_checker("hadolint"), "--config", REPOSITORY / ".hadolint.yaml", REPOSITORY / file]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
