"""What jobs cost, computed from their records."""

import pytest

from adapter.inspection.cost import Amount, Prices, cost_by_type, cost_of, describe, total_cost
from adapter.inspection.job_record import JobRecord

PRICES = Prices(watts_per_core=4.0, cpu_hour=0.04, gb_hour=0.005, currency="EUR")
UNSTATED = Prices(watts_per_core=4.0)


def record(job_type="encoding", **fields):
    return JobRecord("job-1", {"type": job_type, **{name: str(value) for name, value in fields.items()}})


ENCODED = record(cpu_s=1800, gb_s=7200, lost_cpu_s=180, lost_gb_s=360, media_s=900)


def test_cost_is_processor_time_and_memory_at_the_stated_rates():
    cost = cost_of(ENCODED, PRICES)
    assert cost.used == Amount(1800, 7200)
    assert cost.used.energy_wh(PRICES) == 2.0  # half an hour at 4 W
    assert cost.used.price(PRICES) == pytest.approx(0.5 * 0.04 + 2 * 0.005)


def test_cost_of_attempts_that_failed_is_a_part_of_it_shown_apart():
    cost = cost_of(ENCODED, PRICES)
    assert cost.lost == Amount(180, 360)
    assert cost.lost.energy_wh(PRICES) == pytest.approx(0.2)


def test_cost_for_an_hour_of_media():
    assert cost_of(ENCODED, PRICES).per_media_hour == Amount(7200, 28_800)
    assert cost_of(record(cpu_s=10), PRICES).per_media_hour is None


def test_prices_that_are_not_stated_give_no_amount_of_money():
    assert cost_of(ENCODED, UNSTATED).used.price(UNSTATED) is None
    only_cpu = Prices(watts_per_core=4.0, cpu_hour=0.04)
    assert cost_of(ENCODED, only_cpu).used.price(only_cpu) == pytest.approx(0.02)


def test_job_that_was_not_measured_is_counted_as_such():
    cost = cost_of(record(worked_s=12), PRICES)
    assert (cost.is_known, cost.jobs, cost.unmeasured, cost.used) == (False, 1, 1, Amount())
    assert describe(cost) == ""


def test_costs_add_up_by_type_and_a_length_that_is_not_known_does_not_falsify_the_rate():
    records = [ENCODED, record(cpu_s=200), record(), record("transcription", cpu_s=90, media_s=900)]
    by_type = cost_by_type(records, PRICES)
    assert list(by_type) == ["encoding", "transcription"]
    encoding = by_type["encoding"]
    assert (encoding.jobs, encoding.unmeasured, encoding.used.cpu_s, encoding.media_s) == (3, 1, 2000, 900)
    assert encoding.per_media_hour == Amount(7200, 28_800)
    total = total_cost(by_type.values(), PRICES)
    assert (total.jobs, total.used.cpu_s, total.media_s) == (4, 2090, 1800)
    assert total_cost([], PRICES).used == Amount()


def test_cost_in_one_line():
    assert describe(cost_of(ENCODED, PRICES)) == "1,800 s CPU · 7,200 GB·s · 2 Wh · 0.03 EUR"
    assert describe(cost_of(record(cpu_s=1.234, gb_s=0.5), UNSTATED)) == "1.23 s CPU · 0.5 GB·s · 0.00137 Wh"
