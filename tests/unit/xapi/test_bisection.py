"""Statements are posted in as few requests as possible, and each has its own outcome."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podjobs.contract.errors import NotNowError
from podjobs.contract.ports.lrs import LrsAnswer
from podjobs.xapi.bisection import post_with_bisection, split_repeated_ids
from support.statements import entries_of


class Lrs:
    """Refuses what the test says, whole requests as LRSs do; records what it was asked."""

    def __init__(self, wrong=(), known=()):
        self.wrong, self.known, self.asked, self.has = set(wrong), set(known), [], []

    def post(self, statements):
        ids = [one["id"] for one in statements]
        self.asked.append(ids)
        assert len(set(ids)) == len(ids)
        if self.wrong & set(ids):
            return LrsAnswer(400, "It is wrong.")
        if self.known & set(ids):
            return LrsAnswer(409)
        self.has += ids
        return LrsAnswer(200)


def entries(*ids):
    return entries_of(*({"id": one} for one in ids))


def names(entry_ids, of):
    return sorted(entry.statement["id"] for entry in of if entry.entry_id in entry_ids)


def always():
    return True


def test_post_with_bisection_good_statements_take_one_request():
    lrs, posted = Lrs(), entries(*"abcdefgh")
    outcome = post_with_bisection(posted, lrs.post, always)
    assert outcome.accepted == [entry.entry_id for entry in posted]
    assert len(lrs.asked) == 1


def test_post_with_bisection_one_wrong_statement_of_eight_is_found_in_seven_requests():
    # 8; 4 4; 2 2; 1 1 of the half that fails: 1 + 2 + 2 + 2
    lrs, posted = Lrs(wrong="c"), entries(*"abcdefgh")
    outcome = post_with_bisection(posted, lrs.post, always)
    assert names(outcome.accepted, posted) == list("abdefgh")
    (refusal,) = outcome.refused
    assert (refusal.entry_id, refusal.problem.status, refusal.problem.detail) == ("1-2", 400, "It is wrong.")
    assert len(lrs.asked) == 7


def test_post_with_bisection_statement_the_lrs_has_is_done():
    lrs, posted = Lrs(known="b"), entries(*"abc")
    outcome = post_with_bisection(posted, lrs.post, always)
    assert names(outcome.accepted, posted) == list("abc")
    assert sorted(lrs.has) == ["a", "c"]


def test_post_with_bisection_lrs_that_goes_down_midway_keeps_the_rest():
    lrs, posted = Lrs(wrong="a"), entries(*"abcd")

    def post(statements):
        if len(lrs.asked) == 3:
            raise NotNowError("Away.", retry_after_s=7)
        return lrs.post(statements)

    outcome = post_with_bisection(posted, post, always)  # abcd, ab, a: then away
    assert (outcome.accepted, [one.entry_id for one in outcome.refused]) == ([], ["1-0"])
    assert outcome.trouble.detail == "Away."


def test_post_with_bisection_without_time_keeps_the_rest_without_trouble():
    lrs, posted = Lrs(wrong="a"), entries(*"abcd")
    outcome = post_with_bisection(posted, lrs.post, lambda: len(lrs.asked) < 3)
    assert (len(lrs.asked), outcome.trouble, len(outcome.refused)) == (3, None, 1)


def test_post_with_bisection_nothing_makes_no_request():
    assert post_with_bisection((), Lrs().post, always).accepted == []


def test_split_repeated_ids_no_id_occurs_twice_in_one_request():
    requests = split_repeated_ids(entries("a", "B", "b", "a", "c", "a"))
    assert [[entry.statement["id"] for entry in one] for one in requests] == [["a", "B", "c"], ["b", "a"], ["a"]]


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.integers(0, 40), max_size=60),
    st.sets(st.integers(0, 40), max_size=20),
    st.sets(st.integers(0, 40), max_size=20),
)
def test_post_with_bisection_each_statement_has_its_own_outcome(ids, wrong, known):
    lrs = Lrs(wrong, known - wrong)
    posted = entries(*ids)
    outcome = post_with_bisection(posted, lrs.post, always)
    assert names(outcome.accepted, posted) == sorted(one for one in ids if one not in wrong)
    assert names([one.entry_id for one in outcome.refused], posted) == sorted(one for one in ids if one in wrong)
    assert len(lrs.asked) <= max(2 * len(ids), 1)


@pytest.mark.parametrize("count", [1, 2, 500])
def test_post_with_bisection_everything_wrong_ends(count):
    lrs = Lrs(wrong=range(count))
    assert len(post_with_bisection(entries(*range(count)), lrs.post, always).refused) == count
    assert len(lrs.asked) == 2 * count - 1
