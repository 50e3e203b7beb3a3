"""A media root with a real model, and speech."""

import pytest

from support.speech import speak
from support.transcriber import Transcriber, make_settings


@pytest.fixture
def make_transcriber(tmp_path):
    def make(**settings):
        return Transcriber(tmp_path, make_settings(tmp_path, **settings))

    return make


@pytest.fixture
def transcriber(make_transcriber):
    return make_transcriber()


@pytest.fixture(scope="session")
def spoken(tmp_path_factory):
    """Three times the text: some seventy seconds."""
    return speak(tmp_path_factory.mktemp("speech") / "talk.mp3")
