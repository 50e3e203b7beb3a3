"""Which words of what people wrote about a video are taken for its transcription."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podjobs.contract.errors import RetryableError
from podjobs.contract.ports.pod import VideoTopic
from podjobs.contract.reply_to import Nobody, PodCallback
from podjobs.notification.topic import NAME_CHARS, WORDS, choose_words, find_names, tell_topic
from podjobs.testing import FakePodApi


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Un cours sur Poincaré et Sophie Germain. Nous parlons.", ["Poincaré", "Sophie Germain"]),
        ("De Galois à Perelman : les maths avec Esup-Portail", ["Galois", "Perelman", "Esup-Portail"]),
        ("PostgreSQL et iPhone, filmé par Zoé", ["PostgreSQL", "iPhone", "Zoé"]),
        ("Les travaux de l'ENS, de l’École et de d'Alembert", ["ENS", "École", "Alembert"]),
        ("The Navier-Stokes equations (by Claude Navier)", ["Navier-Stokes", "Claude Navier"]),
        ("le cours du lundi", []),
        ("COURS DE MATHS POUR TOUS", []),
        ("Введение в теорию Галуа", ["Галуа"]),
        ("", []),
        ("12 34 — !!", []),
    ],
)  # fmt: skip
def test_find_names_are_written_with_a_capital_where_no_sentence_begins(text, names):
    assert list(find_names(text)) == names


def test_choose_words_owner_then_keywords_then_names_each_once():
    topic = VideoTopic(
        title="Introduction à Kubernetes",
        description="Le projet Kubernetes est expliqué par Loïc Kerdraon à Brest.",
        owner="Loïc Kerdraon",
        keywords=("conteneurs", "kubernetes"),
    )
    assert choose_words(topic) == ("Loïc Kerdraon", "conteneurs", "kubernetes", "Brest")


@pytest.mark.parametrize(
    "hostile",
    [
        "<|endoftext|>", "<|startoftranscript|><|fr|>", "Le <|notimestamps|> Mot", "A" * 5000, "Z\u0300" * 900,
        "\u202eName\u202c", "Un\x00Deux\x1b[31mTrois", " , ; | ", "Ha " * 900, "\ud800",
    ],
)  # fmt: skip
def test_choose_words_of_hostile_texts_are_few_short_and_without_a_models_signs(hostile):
    words = choose_words(VideoTopic(hostile, hostile, hostile, (hostile,) * 50))
    assert len(words) <= WORDS
    assert all(1 < len(word) <= NAME_CHARS for word in words)
    assert not set("".join(words)) & set("<>|[]{},;\x00\x1b\u202e\n")


@given(st.builds(VideoTopic, st.text(), st.text(), st.text(), st.lists(st.text(), max_size=60).map(tuple)))
def test_choose_words_of_any_texts_are_few_short_and_each_once(topic):
    words = choose_words(topic)
    assert len(words) <= WORDS
    assert len({word.casefold() for word in words}) == len(words)
    assert all(len(word) <= NAME_CHARS and word == word.strip() for word in words)
    assert not set("".join(words)) & set("<>|[]{},;:\n")


class SilentPod(FakePodApi):
    def video_topic(self, _video_id):
        raise RetryableError("Pod cannot be reached.")


def test_tell_topic_pod_that_does_not_answer_costs_names_but_not_the_job():
    result = tell_topic(PodCallback(video_id=3), SilentPod())
    assert result.values == {}
    assert result.log == (
        "Pod did not say what the video is about, so names may be misspelled: Pod cannot be reached.",
    )


def test_tell_topic_nobody_can_be_asked():
    assert tell_topic(Nobody(), FakePodApi()).values == {}
