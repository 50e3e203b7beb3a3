"""Sound that ffmpeg reads by a secret URL, as it does from object storage: all works, and the secret stays one."""

import json

import pytest

from podjobs.contract.errors import PermanentError, Problem
from podjobs.transcription.function import TranscriptionFunction
from support.captions import text_of
from support.media_storages import POD_ROOT
from support.speech import LECTURE, WER, error_rate
from support.url_storage import url_storage


@pytest.fixture
def url_transcriber(make_transcriber):
    """A transcriber whose media are served over HTTP."""
    made = make_transcriber(podjobs_part_min_s=8, podjobs_part_max_s=10)
    with url_storage(made.root, made.storage) as storage:
        made.function = TranscriptionFunction(made.model, made.tools, storage, made.settings)
        yield made


def test_transcribe_in_parts_by_url_is_as_from_a_folder(url_transcriber, lecture):
    (url_transcriber.folder / lecture.name).hardlink_to(lecture)
    assert error_rate(" ".join(LECTURE), text_of(url_transcriber.transcribe(lecture.name))) < WER
    run = url_transcriber.run
    assert "5EcReT" not in json.dumps([run.log, run.shared, list(run.results.values())])


def test_plan_bad_sound_by_url_is_named_as_pod_knows_it(url_transcriber):
    (url_transcriber.folder / "bad.mp3").write_bytes(b"not a sound at all" * 1000)
    with pytest.raises(PermanentError, match=f"{POD_ROOT}/videos/abc/0007/bad.mp3") as refused:
        url_transcriber.plan("bad.mp3")
    assert "5EcReT" not in Problem.of(refused.value).model_dump_json()
