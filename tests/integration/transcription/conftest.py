"""Speech, and a media root with the transcription function on it."""

import pytest

from support.speech import LECTURE, join, speak
from support.transcriber import Transcriber, make_settings, warm_model

PAUSE = ("anullsrc=r=16000:cl=mono", 0.7)


@pytest.fixture
def make_transcriber(tmp_path):
    def make(model=None, **changes):
        media = tmp_path / "media"
        media.mkdir(exist_ok=True)
        return Transcriber(media, make_settings(media, **changes), model or warm_model())

    return make


@pytest.fixture
def transcriber(make_transcriber):
    return make_transcriber()


@pytest.fixture(scope="session")
def sentences(tmp_path_factory):
    """Each sentence of the lecture as a file."""
    folder = tmp_path_factory.mktemp("sentences")
    return [speak(folder / f"{number}.wav", text) for number, text in enumerate(LECTURE)]


@pytest.fixture(scope="session")
def lecture(tmp_path_factory, sentences):
    """Half a minute of speech with pauses, as a VBR MP3."""
    pieces = [piece for sentence in sentences for piece in (sentence, PAUSE)]
    return join(tmp_path_factory.mktemp("lecture") / "lecture.mp3", *pieces)
