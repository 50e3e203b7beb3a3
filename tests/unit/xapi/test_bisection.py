"""Statements posted in as few requests as possible, each with its own fate."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podjobs.contract.errors import NotNowError
from podjobs.contract.ports import LrsAnswer
from podjobs.xapi.bisection import post_all, rounds_of
from support.statements import entries_of


class Lrs:
    """Refuses what it is told to, whole requests as LRSs do; notes what it was asked."""

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


def test_post_all_good_statements_take_one_request():
    lrs, posted = Lrs(), entries(*"abcdefgh")
    fates = post_all(posted, lrs.post, always)
    assert fates.accepted == [entry.entry_id for entry in posted]
    assert len(lrs.asked) == 1


def test_post_all_one_wrong_statement_of_eight_is_found_in_seven_requests():
    # 8; 4 4; 2 2; 1 1 of the half that fails: 1 + 2 + 2 + 2
    lrs, posted = Lrs(wrong="c"), entries(*"abcdefgh")
    fates = post_all(posted, lrs.post, always)
    assert names(fates.accepted, posted) == list("abdefgh")
    (refusal,) = fates.refused
    assert (refusal.entry_id, refusal.problem.status, refusal.problem.detail) == ("1-2", 400, "It is wrong.")
    assert len(lrs.asked) == 7


def test_post_all_statement_the_lrs_has_is_done():
    lrs, posted = Lrs(known="b"), entries(*"abc")
    fates = post_all(posted, lrs.post, always)
    assert names(fates.accepted, posted) == list("abc")
    assert sorted(lrs.has) == ["a", "c"]


def test_post_all_lrs_that_goes_away_in_the_middle_keeps_the_rest():
    lrs, posted = Lrs(wrong="a"), entries(*"abcd")

    def post(statements):
        if len(lrs.asked) == 3:
            raise NotNowError("Away.", retry_after_s=7)
        return lrs.post(statements)

    fates = post_all(posted, post, always)  # abcd, ab, a: then away
    assert (fates.accepted, [one.entry_id for one in fates.refused]) == ([], ["1-0"])
    assert fates.trouble.detail == "Away."


def test_post_all_without_time_keeps_the_rest_without_trouble():
    lrs, posted = Lrs(wrong="a"), entries(*"abcd")
    fates = post_all(posted, lrs.post, lambda: len(lrs.asked) < 3)
    assert (len(lrs.asked), fates.trouble, len(fates.refused)) == (3, None, 1)


def test_post_all_nothing_is_no_request():
    assert post_all((), Lrs().post, always).accepted == []


def test_rounds_no_id_stands_twice_in_one_request():
    rounds = rounds_of(entries("a", "B", "b", "a", "c", "a"))
    assert [[entry.statement["id"] for entry in one] for one in rounds] == [["a", "B", "c"], ["b", "a"], ["a"]]


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.integers(0, 40), max_size=60),
    st.sets(st.integers(0, 40), max_size=20),
    st.sets(st.integers(0, 40), max_size=20),
)
def test_post_all_each_statement_has_the_fate_that_is_its_own(ids, wrong, known):
    lrs = Lrs(wrong, known - wrong)
    posted = entries(*ids)
    fates = post_all(posted, lrs.post, always)
    assert names(fates.accepted, posted) == sorted(one for one in ids if one not in wrong)
    assert names([one.entry_id for one in fates.refused], posted) == sorted(one for one in ids if one in wrong)
    assert len(lrs.asked) <= max(2 * len(ids), 1)


@pytest.mark.parametrize("count", [1, 2, 500])
def test_post_all_everything_wrong_ends(count):
    lrs = Lrs(wrong=range(count))
    assert len(post_all(entries(*range(count)), lrs.post, always).refused) == count
    assert len(lrs.asked) == 2 * count - 1
