"""The scripts that are part of image builds and of images."""

import importlib.util
import os
import subprocess
from importlib.machinery import SourceFileLoader
from pathlib import Path

import pytest

from local.images.catalogue import REPOSITORY


def load(path):
    """A script that is no module of ours."""
    name = path.replace("/", "_")
    spec = importlib.util.spec_from_loader(name, SourceFileLoader(name, str(REPOSITORY / path)))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


collect, trim, healthy = map(load, ("layers/ffmpeg/collect.py", "layers/podjobs/trim.py", "layers/podjobs/bin/healthy"))
START = REPOSITORY / "layers" / "podjobs" / "bin" / "start"
MAIN = "/opt/function/main.py"
THREADS = 2 * max(16, os.cpu_count() or 1) + 8
SERVES = (
    f"gunicorn --bind 0.0.0.0:8080 --threads {THREADS} --timeout 0 --graceful-timeout 86400 --limit-request-line 0"
    " --log-level error --preload --no-control-socket"
    f" functions_framework:create_app('handle', '{MAIN}', 'http') THREADS="
)
LDD = """
        linux-vdso.so.1 (0x00007ffc9a5f4000)
        libavcodec.so.59 => /lib/x86_64-linux-gnu/libavcodec.so.59 (0x00007f2d0a000000)
        /lib64/ld-linux-x86-64.so.2 (0x00007f2d0c1d6000)
"""


def test_read_libraries_finds_what_the_linker_has_found():
    found = ["/lib/x86_64-linux-gnu/libavcodec.so.59", "/lib64/ld-linux-x86-64.so.2"]
    assert collect.read_libraries(LDD) == [Path(name) for name in found]


def test_read_libraries_missing_one_is_an_error():
    with pytest.raises(collect.CollectionError, match=r"libx264\.so\.164 => not found"):
        collect.read_libraries(f"{LDD}  libx264.so.164 => not found\n")


def test_read_stanzas_keeps_each_packages_record():
    text = "Package: a\nVersion: 1\n\nPackage: b\nVersion: 2\nDescription: x\n y\n"
    assert collect.read_stanzas(text) == {
        "a": "Package: a\nVersion: 1\n",
        "b": "Package: b\nVersion: 2\nDescription: x\n y\n",
    }


def test_unused_folders_are_services_of_aws_and_tests(tmp_path):
    for name in ("botocore/data/ec2", "botocore/data/s3", "botocore/data/sts", "numpy/tests", "fixtures/tests"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "numpy/tests/test_all.py").touch()
    found = sorted(str(folder.relative_to(tmp_path)) for folder in trim.unused_folders(tmp_path))
    assert found == ["botocore/data/ec2", "numpy/tests"]


def test_forget_missing_keeps_only_files_that_are_there_and_hashes_that_are_right(tmp_path):
    record = tmp_path / "a-1.dist-info" / "RECORD"
    record.parent.mkdir()
    (tmp_path / "same.py").write_text("1234")
    (tmp_path / "stripped.so").write_text("12")
    record.write_text("same.py,sha256=x,4\nstripped.so,sha256=y,400\ngone.py,sha256=z,4\na-1.dist-info/RECORD,,\n")
    trim.forget_missing(record)
    assert record.read_text() == "same.py,sha256=x,4\nstripped.so,,\na-1.dist-info/RECORD,,\n"


@pytest.mark.parametrize(
    ("command", "page"),
    [
        (("/opt/venv/bin/python3", "/opt/venv/bin/gunicorn", "--bind", "0.0.0.0:8080"), (8080, "/")),
        (("/sbin/docker-init", "--", "start", "serve"), (8080, "/")),
        (("python3", "-m", "adapter", "run"), (8090, "/healthz")),
        (("/opt/venv/bin/python", "-m", "podjobs.entry.rq", "--source", "/opt/function/main.py"), None),
        (("/sbin/docker-init", "--", "start", "worker"), None),
        (("/opt/venv/bin/python", "-m", "awslambdaric", "main.handle_invocation"), None),
    ],
)
def test_page_of_what_has_one(command, page, monkeypatch):
    monkeypatch.delenv("PORT", raising=False)
    monkeypatch.delenv("PODJOBS_HEALTH_PORT", raising=False)
    assert healthy.page_of(command) == page


@pytest.fixture
def programs(tmp_path):
    """Programs that write down how they were called."""
    for name in ("gunicorn", "python", "other"):
        program = tmp_path / name
        program.write_text(f'#!/bin/sh\necho {name} "$@" THREADS=$THREADS\n')
        program.chmod(0o755)
    return tmp_path


@pytest.mark.parametrize(
    ("words", "called"),
    [
        ((), SERVES),
        (("serve",), SERVES),
        (("worker", "--concurrency", "2"), f"python -m podjobs.entry.rq --source {MAIN} --concurrency 2 THREADS="),
        (("lambda",), "python -m awslambdaric main.handle_invocation THREADS="),
        (("other", "a b"), "other a b THREADS="),
    ],
)
def test_start_runs_the_image_as_its_first_word_says(programs, words, called):
    environment = {"PATH": f"{programs}:{os.environ['PATH']}"}
    done = subprocess.run([START, *words], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip() == called.strip()
