"""Which words are given to the model."""

from podjobs.transcription.hotwords import HOTWORDS_CHARS, choose_hotwords


def test_choose_hotwords_are_a_list():
    assert choose_hotwords({"topic": {"words": ["Kerdraon", "Poincaré"]}}) == "Kerdraon, Poincaré"


def test_choose_hotwords_without_a_topic_are_none():
    assert choose_hotwords({}) == ""
    assert choose_hotwords({"topic": {}}) == ""


def test_choose_hotwords_as_many_as_fit():
    words = [f"Name{number:02d}" for number in range(90)]
    found = choose_hotwords({"topic": {"words": words}})
    assert found.split(", ") == words[:40]  # each takes 6 characters and 2 between them
    assert len(found) <= HOTWORDS_CHARS


def test_choose_hotwords_whatever_is_no_name_is_left_out():
    words = ["<|endoftext|>", 3, None, " ", "a, b", "Galois", "Galois", "x\ny", ["Noether"]]
    assert choose_hotwords({"topic": {"words": words}}) == "Galois"
    assert choose_hotwords({"topic": {"words": "Galois"}}) == ""
