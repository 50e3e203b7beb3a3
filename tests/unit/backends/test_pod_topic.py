"""What Pod shows of a video, in all the forms that its versions have."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podjobs.backends.pod_topic import find_owner, plain_text, read_topic
from podjobs.contract.bounds import json_bytes
from podjobs.contract.ports.pod import VideoTopic


@pytest.mark.parametrize(
    ("tags", "keywords"),
    [
        (["math", "physique"], ("math", "physique")),
        ([{"id": 1, "name": "math"}, {"name": None}], ("math",)),
        ('math, "trous noirs"; physique', ("math", "trous noirs", "physique")),
        ("", ()),
        (None, ()),
        ([3, None, [], " "], ()),
        ({"a": 1}, ()),
    ],
)
def test_read_topic_keywords_in_each_form(tags, keywords):
    assert read_topic({"tags": tags}).keywords == keywords


def test_read_topic_of_all_that_pod_shows():
    facts = {"title": "Galois", "description": "<p>Le cours &amp; Poincaré</p>", "tags": ["a"]}
    topic = read_topic(facts, {"first_name": "Loïc", "last_name": "Kerdraon"})
    assert topic == VideoTopic("Galois", ". Le cours & Poincaré.", "Loïc Kerdraon", ("a",))


@pytest.mark.parametrize("nonsense", [None, 3, [], {}, True])
def test_read_topic_of_other_types_is_empty(nonsense):
    facts = {"title": nonsense, "description": nonsense, "tags": nonsense, "owner": nonsense}
    assert read_topic(facts, nonsense) == VideoTopic()
    assert find_owner(facts) is None


def test_read_topic_is_cut_to_what_may_travel():
    topic = read_topic({"title": "é" * 10_000, "description": "ü" * 100_000, "tags": ["x" * 900] * 900})
    assert json_bytes([topic.title, topic.description, *topic.keywords]) < 10_000


@pytest.mark.parametrize(
    ("owner", "number"),
    [
        ("https://pod.example.org/rest/users/12/", 12),
        ("http://elsewhere.example.org/rest/users/7", 7),  # only the number is taken
        ("/rest/users/../videos/3/", None),
        ("/rest/users/12%2f..%2f/", None),
        ("/rest/users/1?x=/users/2/", 1),
        ("/rest/users/" + "9" * 40, None),
        ("/rest/users/٣/", None),
        ("12", None),
        ("", None),
    ],
)
def test_find_owner_is_a_number_and_nothing_else(owner, number):
    assert find_owner({"owner": owner}) == number


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>Un</p><p>deux<br>trois</p>", ". Un. . deux. trois."),
        ("a < b & c", "a < b & c"),
        ("<script>alert(1)</script>Vu<style>p{}</style>", "Vu"),
        ("&eacute;t&eacute; &#x41;", "été A"),
        ("<![if !mso]>Vu<![endif]><![odd[x]]>", "Vu"),
        ("<" * 50_000, "<" * 8000),
    ],
)
def test_plain_text_is_what_a_browser_shows(html, text):
    assert plain_text(html) == text


@pytest.mark.parametrize("piece", ["<p", "<!--", "</", "<a href='", "&#", "<![CDATA[", "<script>", "<?", "<p a=", '"<'])
def test_plain_text_of_hostile_html_is_read_in_no_time(piece):
    started = time.process_time()
    assert len(plain_text(piece * 20_000)) <= 40_000
    assert time.process_time() - started < 2


@given(
    st.lists(
        st.sampled_from(["<", "<![", "!", "[", "]", ">", "-", "/", "?", "&", "#", "a", "CDATA", "doctype", " ", "'"])
    )
)
def test_plain_text_of_anything_is_a_text(pieces):
    assert isinstance(plain_text("".join(pieces)), str)
