"""What becomes of Pod's settings file."""

import json
import textwrap

import pytest
from dotenv import dotenv_values

from adapter.operator.adoption import adopt_settings, as_text, quoted
from podjobs.pod_settings_file import UnreadableFileError, read_settings_file
from podjobs.secret_store.documents import setting_names

SECRET = 32 * "s"
REALISTIC = """
    # -*- coding: utf-8 -*-
    import os
    from pod.main.settings import BASE_DIR
    from .secrets import *
    SECRET_KEY = "django-insecure-of-pod"
    DEBUG = os.environ.get("DEBUG", "") == "True"
    ALLOWED_HOSTS = ["localhost", ".internal", "pod.univ-ici.fr"]
    MEDIA_ROOT = "/data/www/pod/media"
    MEDIA_URL = "/media/"
    DATABASES = {"default": {"PASSWORD": "of-the-database"}}
    REDIS_HOST = "redis"
    USE_REMOTE_ENCODING_TRANSCODING = True
    ENCODING_TRANSCODING_CELERY_BROKER_URL = "redis://:p%40ss'word#1@redis:6379/5"
    XAPI_CELERY_BROKER_URL = f"redis://{REDIS_HOST}:6379/6"
    POD_API_TOKEN: str = "t0ken with spaces"
    VIDEO_RENDITIONS = ({"resolution": "640x360", "maxrate": "1000k", "audio_bitrate": "96k", "encode_mp4": True},)
    TRANSCRIPTION_MODEL_PARAM = {"WHISPER": {"fr": {"model": "small", "download_root": "/srv/modèles"}}}
    TRANSCRIPTION_NORMALIZE = False
    FFMPEG_CRF = 20
    XAPI_LRS_PWD = os.environ["LRS_PASSWORD"]
    if DEBUG:
        FFMPEG_PRESET = "ultrafast"
    FFMPEG_CMD = "ffmpeg"
    FFMPEG_CMD += "-7"
"""


@pytest.fixture
def read(tmp_path):
    def of(text, encoding="utf-8"):
        path = tmp_path / "settings_local.py"
        path.write_bytes(textwrap.dedent(text).lstrip().encode(encoding))
        return read_settings_file(path)

    return of


@pytest.fixture
def adopted(read, tmp_path):
    """Adopt a text. Returns what it became, and the values that a reader of the `.env` file finds."""

    def of(text, **options):
        adoption = adopt_settings(read(text, **options), setting_names(), SECRET)
        file = tmp_path / ".env"
        file.write_text("\n".join(adoption.lines))
        return adoption, {name: value for name, value in dotenv_values(file, interpolate=False).items() if value}

    return of


def test_realistic_file_is_taken_over_as_far_as_it_is_known(adopted):
    adoption, values = adopted(REALISTIC)
    assert values.pop("VIDEO_RENDITIONS") == (
        '[{"resolution": "640x360", "maxrate": "1000k", "audio_bitrate": "96k", "encode_mp4": true}]'
    )
    assert json.loads(values.pop("TRANSCRIPTION_MODEL_PARAM"))["WHISPER"]["fr"]["download_root"] == "/srv/modèles"
    assert values == {
        "ENCODING_TRANSCODING_CELERY_BROKER_URL": "redis://:p%40ss'word#1@redis:6379/5",
        "MEDIA_ROOT": "/data/www/pod/media",
        "POD_API_TOKEN": "t0ken with spaces",
        "TRANSCRIPTION_NORMALIZE": "false",
        "FFMPEG_CRF": "20",
        "PODJOBS_FUNCTION_SECRET": SECRET,
    }
    assert adoption.missing == ["POD_API_URL"]
    assert "#POD_API_URL=https://pod.univ-ici.fr/rest" in adoption.lines
    assert "#POD_MEDIA_URL=https://pod.univ-ici.fr/media" in adoption.lines
    assert adoption.not_understood == [
        "XAPI_CELERY_BROKER_URL is computed in line 14. Write its value into the file.",
        "XAPI_LRS_PWD is computed in line 20. Write its value into the file.",
        "FFMPEG_CMD is computed in line 24. Write its value into the file.",
        "FFMPEG_PRESET is computed in line 21. Write its value into the file.",
    ]
    assert adoption.left == []


def test_nothing_of_pods_own_secrets_is_written(adopted):
    adoption, _ = adopted(REALISTIC)
    assert not any(word in "\n".join(adoption.lines) for word in ("django-insecure", "of-the-database"))
    assert "t0ken" not in repr(adoption)


def test_each_line_has_a_comment_where_one_is_known(adopted):
    adoption, _ = adopted(REALISTIC)
    at = adoption.lines.index("MEDIA_ROOT=/data/www/pod/media")
    assert adoption.lines[at - 1] == "# Pod's media root, as the Pod server sees it."


def test_media_root_that_is_computed_is_missing(adopted):
    adoption, values = adopted('import os\nMEDIA_ROOT = os.path.join(BASE_DIR, "media")\n')
    assert "MEDIA_ROOT" in adoption.missing
    assert "MEDIA_ROOT" not in values
    assert "# Computed in line 2 of Pod's file: write its value here." in adoption.lines


def test_models_of_another_engine_are_left_to_pods_worker(adopted):
    adoption, values = adopted('TRANSCRIPTION_TYPE = "VOSK"\nTRANSCRIPTION_MODEL_PARAM = {"VOSK": {"fr": {}}}\n')
    assert not {"TRANSCRIPTION_TYPE", "TRANSCRIPTION_MODEL_PARAM"} & values.keys()
    assert "the queue transcripting is left to Pod's own worker" in adoption.left[0]


def test_broker_of_pods_own_tasks_is_not_taken_for_ours(adopted):
    adoption, values = adopted('CELERY_BROKER_URL = "redis://redis:6379/5"\n')
    assert values.keys() == {"PODJOBS_FUNCTION_SECRET"}
    assert any(sentence.startswith("CELERY_BROKER_URL is not taken") for sentence in adoption.left)


def test_file_in_latin_1_is_read_as_it_declares(adopted):
    _, values = adopted('# -*- coding: latin-1 -*-\nPOD_API_TOKEN = "clé"\n', encoding="latin-1")
    assert values["POD_API_TOKEN"] == "clé"  # noqa: S105 - made up


def test_file_in_latin_1_that_does_not_declare_it_is_refused_as_python_would(read):
    with pytest.raises(UnreadableFileError, match=r"is not valid Python.*utf-8"):
        read('POD_API_TOKEN = "clé"\n', encoding="latin-1")


def test_syntax_error_is_said_with_its_line(read):
    with pytest.raises(UnreadableFileError, match=r"^is not valid Python \(line 2\): "):
        read("A = 1\nB = = 2\n")


@pytest.mark.parametrize(
    "change",
    ["X['a'] = 2", "X.append(2)", "X += [2]", "for X in (1, 2):\n    pass", "if Y:\n    X = 2\nelse:\n    X = 3",
     "del X", "X, Y = 1, 2", "X = Y", "X = f'{Y}'"],
)  # fmt: skip
def test_what_changes_a_value_makes_it_unknown(read, change):
    file = read(f"X = [1]\n{change}\n")
    assert ("X" in file.values, file.computed["X"]) == (False, 2)


def test_value_that_is_assigned_again_is_known_again(read):
    file = read("X = compute()\nX = Y = 7\n")
    assert (file.values, file.computed) == ({"X": 7, "Y": 7}, {})


@pytest.mark.parametrize("text", ["plain/5@x", "with space", "it's", 'a "b"', "back\\slash", "#hash", "$X", "é\n"])
def test_quoted_text_is_read_as_it_was(tmp_path, text):
    (tmp_path / ".env").write_text(f"X={quoted(text)}\n")
    assert dotenv_values(tmp_path / ".env", interpolate=False) == {"X": text}


def test_values_are_written_as_settings_are_read():
    assert [as_text(value) for value in ("a", True, 1.5, ("a", ("b",)))] == ["a", "true", "1.5", '["a", ["b"]]']
