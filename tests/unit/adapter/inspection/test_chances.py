"""What is drawn at random."""

import random
from statistics import mean, stdev

import pytest

from adapter.inspection.forecast.chances import TABLE, Noise, expect_arrivals


def test_noise_has_the_mean_1_and_the_spread_that_was_learned():
    noise = Noise(0.3, random.Random(1))
    factors = [noise.draw() for _ in range(TABLE)]
    assert mean(factors) == pytest.approx(1, abs=0.01)
    assert stdev(factors) == pytest.approx(0.307, abs=0.01)  # √(e^0.09 − 1)


def test_noise_without_spread_is_none():
    noise = Noise(0, random.Random(1))
    assert {noise.draw() for _ in range(10)} == {1}
    assert noise.left_s(10, 4, random.Random(1)) == 6
    assert noise.left_s(10, 40, random.Random(1)) == 0


def test_step_that_has_run_for_as_long_as_expected_takes_some_time_yet():
    noise, chance = Noise(0.3, random.Random(1)), random.Random(1)
    fresh = mean(noise.left_s(10, 0, chance) for _ in range(2000))
    late = mean(noise.left_s(10, 10, chance) for _ in range(2000))
    overdue = [noise.left_s(10, 1000, chance) for _ in range(10)]
    assert fresh == pytest.approx(10, abs=0.3)
    assert 1.5 < late < 3.5
    assert all(left >= 0 for left in overdue)


def test_jobs_are_expected_half_as_often_as_they_have_come():
    arrivals = [(1000 - 10 * number, "encoding") for number in range(100)]
    expected = [len(expect_arrivals(arrivals, 1000, random.Random(seed))) for seed in range(200)]
    assert mean(expected) == pytest.approx(99 / 2, abs=2)
    times = [after_s for after_s, _ in expect_arrivals(arrivals, 1000, random.Random(1))]
    assert 0 < min(times) < max(times) < 990


def test_jobs_that_came_at_once_are_not_expected_to_come_again_at_once():
    arrivals = [(1000 - number / 100, "encoding") for number in range(50)]
    assert expect_arrivals(arrivals, 1060, random.Random(1)) == []


def test_of_few_jobs_nothing_is_expected():
    assert expect_arrivals([(990, "encoding")] * 9, 1000, random.Random(1)) == []
