"""The scalers decide as their documentation says."""

import pytest

from benchmarks.scalers import Keda, Knative, LambdaPool


def decide(scaler, counts, instances=0):
    """Feed a scaler with what is in flight, one decision after another; what it wanted each time."""
    wanted = []
    for number, in_flight in enumerate(counts, start=1):
        instances = scaler.decide(number * scaler.interval_s, in_flight, instances)
        wanted.append(instances)
    return wanted


def test_knative_steady_load_gets_the_mean_of_a_minute_over_the_target():
    # 70 steps in flight for a minute, 0.7 a step and instance: 100 instances
    assert decide(Knative(most=400), [70] * 80)[-1] == 100


def test_knative_burst_panics_within_six_seconds():
    wanted = decide(Knative(most=400), [70] * 3)
    assert wanted == [34, 67, 100]  # 70 × 1/3, 2/3, 3/3 of six seconds, over 0.7; a calm minute would give 4


def test_knative_panic_does_not_scale_down_for_a_minute():
    wanted = decide(Knative(most=400), [70] * 3 + [0] * 60)
    assert wanted[3:30] == [100] * 27
    assert wanted[-1] == 0


def test_knative_is_at_zero_half_a_minute_after_an_empty_minute():
    wanted = decide(Knative(most=400), [1] * 60 + [0] * 60)
    last = max(number for number, count in enumerate(wanted) if count) - 59
    assert 88 <= last * 2 <= 92  # 60 s without anything, and 30 s of grace


def test_knative_never_more_than_it_may():
    assert max(decide(Knative(most=8), [1000] * 60)) == 8


def test_keda_first_step_gets_one_instance_and_the_last_one_leaves_after_the_cooldown():
    wanted = decide(Keda(most=100), [0, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0])
    assert wanted[:2] == [0, 1]
    assert wanted[8:10] == [1, 0]  # the last work was seen at 20 s; 30 s later, at 50 s, there is none left


def test_keda_grows_by_four_or_to_the_double_every_fifteen_seconds():
    wanted = decide(Keda(most=100), [90] * 16)
    assert list(dict.fromkeys(wanted)) == [1, 5, 10, 20, 40, 80]


def test_keda_leaves_small_differences_alone():
    assert decide(Keda(most=100), [109] * 6, instances=100) == [100] * 6


def test_keda_shrinks_only_to_the_largest_wish_of_a_minute():
    wanted = decide(Keda(most=100), [50] * 10 + [10] * 20, instances=50)
    assert wanted[10:20] == [50] * 10
    assert wanted[-1] == 10


@pytest.mark.parametrize(("wanted", "now"), [(400, 400), (1500, 1000)])
def test_lambda_starts_at_most_a_thousand_in_ten_seconds(wanted, now):
    pool = LambdaPool(most=2000)
    assert pool.room(0.0, wanted) == now
    assert pool.room(9.9, 700) == min(700, 1000 - now)
    assert pool.room(10.0, 700) == 700 - max(0, 700 + min(700, 1000 - now) - 1000)
