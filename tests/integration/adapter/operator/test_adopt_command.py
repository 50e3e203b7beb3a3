"""The command that writes a `.env` from Pod's own settings file."""

import os
import stat
import subprocess

import pytest

from support.processes import REPOSITORY, environment_with

TOKEN = "t0ken-that-nobody-may-see"  # noqa: S105 - made for these tests


@pytest.fixture
def settings_file(tmp_path, redis_url):
    (tmp_path / "media").mkdir()
    file = tmp_path / "settings_local.py"
    file.write_text(
        f'MEDIA_ROOT = "{tmp_path / "media"}"\nUSE_REMOTE_ENCODING_TRANSCODING = True\nPOD_API_TOKEN = "{TOKEN}"\n'
        f'ENCODING_TRANSCODING_CELERY_BROKER_URL = "{redis_url}"\nPOD_API_URL = "http://127.0.0.1:1/rest"\n'
    )
    return file


def test_adopt_writes_a_file_that_only_its_owner_may_read_and_prints_no_secret(command, settings_file, tmp_path):
    output = tmp_path / "new.env"
    ended = command("adopt", str(settings_file), "--output", str(output))
    assert ended.returncode == 0, ended.stderr
    assert stat.S_IMODE(output.stat().st_mode) == 0o600
    assert f"POD_API_TOKEN={TOKEN}" in output.read_text()
    assert TOKEN not in ended.stdout + ended.stderr
    assert "Taken over: ENCODING_TRANSCODING_CELERY_BROKER_URL, MEDIA_ROOT, POD_API_URL, POD_API_TOKEN." in ended.stdout
    assert [file.name for file in tmp_path.iterdir() if file.name.startswith(".")] == []


def test_adopt_does_not_replace_a_file_unless_told_to(command, settings_file, tmp_path):
    output = tmp_path / "kept.env"
    output.write_text("mine")
    output.chmod(0o644)
    ended = command("adopt", str(settings_file), "--output", str(output))
    assert (ended.returncode, output.read_text()) == (2, "mine")
    assert "exists. Give --force to replace it" in ended.stderr
    ended = command("adopt", str(settings_file), "--output", str(output), "--force")
    assert ended.returncode == 0
    assert stat.S_IMODE(output.stat().st_mode) == 0o600
    assert TOKEN in output.read_text()


def test_adopt_says_what_is_missing_by_its_exit_status(command, tmp_path):
    file = tmp_path / "settings_local.py"
    file.write_text('MEDIA_ROOT = os.path.join(BASE_DIR, "media")\n')
    ended = command("adopt", str(file), "--output", str(tmp_path / "new.env"))
    assert ended.returncode == 1
    assert "MEDIA_ROOT is computed in line 1. Write its value into the file." in ended.stdout
    assert "Missing: ENCODING_TRANSCODING_CELERY_BROKER_URL, MEDIA_ROOT, POD_API_URL, POD_API_TOKEN." in ended.stdout


def test_adopt_of_what_is_no_python_writes_nothing(command, tmp_path):
    file = tmp_path / "settings_local.py"
    file.write_text("MEDIA_ROOT = = 1\n")
    ended = command("adopt", str(file), "--output", str(tmp_path / "new.env"))
    assert ended.returncode == 2
    assert ended.stderr == f"{file} is not valid Python (line 1): invalid syntax.\n"
    assert not (tmp_path / "new.env").exists()


@pytest.mark.slow
def test_check_works_with_what_adopt_has_written(settings_file, tmp_path):
    output, state = tmp_path / "new.env", tmp_path / "state"
    environment = environment_with({"COLUMNS": "200", "PATH": os.environ["PATH"]})

    def podjobs(*arguments):
        argv = [REPOSITORY / "scripts" / "podjobs", "--state", state, "--env-file", output, *arguments]
        return subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=60, check=False)

    adopted = podjobs("adopt", settings_file, "--output", output)
    assert adopted.returncode == 0, adopted.stderr
    checked = podjobs("check")
    assert checked.returncode == 1, checked.stderr  # nothing runs
    assert "They are complete and valid." in checked.stdout
    assert "No adapter takes anything from Pod's queues" in checked.stdout
    assert TOKEN not in checked.stdout
