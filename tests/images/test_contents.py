"""What is in the images, and what is not."""

import json
import os
import subprocess
import sys

import pytest

from local.images.catalogue import FUNCTIONS, IMAGES, read_source, read_version
from support.containers import BASE

LIMITS_MB = {"adapter": 120, "notification": 120, "xapi": 120, "encoding": 500, "transcription": 700}
"""Over the base; MB of 10^6 bytes."""
MEDIA = ("encoding", "transcription")


def inspect(images, name):
    return json.loads(images.podman("image", "inspect", name).stdout)[0]


def run(images, name, *command):
    return images.podman("run", "--rm", *images.confinement(), "--entrypoint", "sh", f"pod-functions/{name}", *command)


@pytest.mark.parametrize("name", IMAGES)
def test_image_is_not_larger_over_its_base_than_promised(images, name):
    over_base = inspect(images, f"pod-functions/{name}")["Size"] - inspect(images, BASE)["Size"]
    assert over_base <= LIMITS_MB[name] * 1_000_000


def test_images_share_the_layers_that_they_have_in_common(images):
    layers = {name: inspect(images, f"pod-functions/{name}")["RootFS"]["Layers"] for name in IMAGES}
    shared = layers["adapter"][:3]  # the base, Python, the library
    assert all(one[:3] == shared for one in layers.values())
    assert layers["encoding"][:4] == layers["transcription"][:4]  # and ffmpeg


@pytest.mark.parametrize("name", IMAGES)
def test_image_says_what_it_is_and_runs_as_nobody(images, name):
    facts = inspect(images, f"pod-functions/{name}:{read_version()}")
    labels = facts["Config"]["Labels"]
    assert labels["org.opencontainers.image.version"] == read_version()
    assert labels["org.opencontainers.image.licenses"] == "LGPL-3.0-or-later"
    assert labels["org.opencontainers.image.base.name"] == BASE
    assert labels["org.opencontainers.image.source"] == read_source()
    assert len(labels["org.opencontainers.image.revision"].removesuffix("-dirty")) == 40
    assert facts["Config"]["User"] == "10001:10001"
    assert facts["Healthcheck"]["Test"] == ["CMD", "healthy"]


@pytest.mark.parametrize("name", IMAGES)
def test_image_has_nothing_that_installs_compiles_or_was_written_by_its_build(images, name):
    script = """
        for tool in pip pip3 cc gcc strip; do command -v $tool; done
        ls -A /run/secrets /tmp /var/lib/apt/lists 2>/dev/null | grep -v :
        find / -xdev -perm -o+w ! -type l ! -path '/proc*' ! -path '/dev*' ! -path '/tmp' 2>/dev/null | sort
    """
    left = run(images, name, "-c", script).stdout.split()
    assert left == ["/models", "/run/lock", "/scratch", "/var/tmp"]  # noqa: S108 - the base has two of them


@pytest.mark.parametrize("name", FUNCTIONS)
def test_packages_of_an_image_belong_together(images, name):
    script = """
from importlib.metadata import distributions
for one in distributions():
    missing = [str(file) for file in one.files or () if not file.locate().exists()]
    assert not missing, (one.metadata["Name"], missing[:3])
"""
    images.podman("run", "--rm", *images.confinement(), "--entrypoint", "python", f"pod-functions/{name}", "-c", script)


FFMPEG_CHECK = """
import subprocess
from podjobs.media.codecs import CODECS, name_decoders

def said(*argv):
    argv = ["ffmpeg", "-hide_banner", "-v", "error", "-y", *argv]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout

lines = [line.split() for line in said("-decoders").splitlines()]
decoders = {words[1] for words in lines if len(words) > 1}
print([codec for codec in CODECS if not decoders & set(name_decoders([codec]))])
sources = ["-f", "lavfi", "-i", "testsrc2=d=1", "-f", "lavfi", "-i", "sine=d=1"]
said(*sources, "-c:v", "libx264", "-c:a", "aac", "/tmp/a.mp4")
said("-i", "/tmp/a.mp4", "-c:a", "libmp3lame", "-c:v", "mjpeg", "-f", "null", "-")
"""


@pytest.mark.parametrize("name", MEDIA)
def test_ffmpeg_of_an_image_decodes_what_this_machines_does_and_encodes(images, name):
    command = ("--entrypoint", "python", f"pod-functions/{name}", "-c", FFMPEG_CHECK)
    there = images.podman("run", "--rm", *images.confinement(), *command).stdout
    here = subprocess.run([sys.executable, "-c", FFMPEG_CHECK], capture_output=True, text=True, check=True).stdout
    assert there == here


@pytest.mark.parametrize("name", IMAGES)
def test_bill_of_materials_names_packages_of_both_kinds_with_versions_and_licences(images, bills, name):
    bill = json.loads((bills / f"{name}.cdx.json").read_text())
    found = {one["purl"].partition("@")[0]: one for one in bill["components"] if "purl" in one}
    assert {"pkg:deb/debian/python3.11-minimal", "pkg:deb/debian/libssl3", "pkg:pypi/pydantic"} <= found.keys()
    assert ("pkg:deb/debian/libx264-164" in found) == (name in MEDIA)
    assert all(one["version"] for one in found.values())
    licensed = [one for one in found.values() if one.get("licenses")]
    assert len(licensed) > 0.8 * len(found)
    assert found["pkg:pypi/pydantic"]["licenses"] == [{"license": {"name": "MIT"}}]


def test_bills_of_materials_are_valid(images, bills, package):
    script = """
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
for file in sys.argv[1:]:
    fault = JsonStrictValidator(SchemaVersion.V1_6).validate_str(open(file, encoding="utf-8").read())
    assert fault is None, (file, fault)
"""
    files = [str(bills / f"{name}.cdx.json") for name in IMAGES]
    environment = os.environ | {"PYTHONPATH": str(package("cyclonedx-python-lib[json-validation]~=11.0"))}
    subprocess.run([sys.executable, "-c", script, *files], env=environment, check=True)
