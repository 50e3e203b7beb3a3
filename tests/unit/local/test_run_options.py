"""What `scripts/run` takes: what contradicts itself is refused before anything is started."""

import pytest
from click.testing import CliRunner

from local.__main__ import local


def said(*arguments):
    ended = CliRunner().invoke(local, ["run", *arguments])
    return ended.exit_code, " ".join(ended.output.replace("│", " ").split())


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--studio",), "--studio takes one or two files"),
        (("--studio", "a.webm", "b.webm", "c.webm"), "--studio takes one or two files"),
        (("--studio", "a.webm", "--cut", "1", "2"), "say --start and --end in place of --cut"),
        (("--studio", "a.webm", "--transcribe", "en"), "--transcribe is not possible"),
        (("--studio", "a.webm", "--start", "5", "--end", "5"), "From 5 s to 5 s nothing is left"),
        (("--studio", "a.webm", "--start", "-1"), "-1"),
        (("--studio", "a.webm", "--layout", "pip"), "'pip' is not one of 'mid', 'pipb', 'piph', 'alone'"),
        (("a.webm", "b.webm"), "Name one VIDEO, or say --studio"),
        (("a.webm", "--start", "5"), "--start and --end are for --studio"),
    ],
)
def test_run_with_options_that_contradict_one_another_is_a_usage_error(arguments, reason):
    code, output = said(*arguments)
    assert (code, reason in output) == (2, True), output


@pytest.mark.parametrize("missing", [("presentation.webm", "absent.webm"), ("absent.webm",)])
def test_run_studio_names_the_source_that_is_not_there(missing, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "presentation.webm").touch()
    code, output = said("--studio", *missing)
    assert code == 1
    assert "The video 'absent.webm' does not exist." in output
    assert [path.name for path in tmp_path.iterdir()] == ["presentation.webm"]
