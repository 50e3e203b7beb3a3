"""Prices and amounts are those that one computes by hand."""

import math

import pytest

from benchmarks.lecture_cost import (
    JobStep,
    choose_size,
    job_steps,
    longest_video_s,
    needed_ephemeral_mb,
    needed_memory_mb,
    size_of,
)
from benchmarks.planned_steps import encoding_stages
from benchmarks.price_list import DEFAULT_PRICES, read_prices
from benchmarks.step_costs import ActionCost, Sample, StepUse, fit, read_costs, write_costs

PRICES = read_prices()


def step(stage, cpu_s, *, waits_s=0.0, parallel=1.0, memory_mb=800, scratch_mb=0):
    use = StepUse(cpu_s=cpu_s, waits_s=waits_s, memory_bytes=memory_mb << 20, scratch_bytes=scratch_mb << 20)
    return JobStep(stage, f"encoding/{stage}", 60.0, use, parallel)


def test_duration_price_of_one_gb_for_a_million_seconds_is_as_published():
    assert PRICES.functions.duration_price(1024, 1e6) == pytest.approx(16.6667)
    # 2 GB of disk, of which half a one is free: 1.5 GB × 1,000,000 s × 0.0000000309
    assert PRICES.functions.duration_price(1024, 1e6, 2048) == pytest.approx(16.6667 + 0.04635)


def test_other_prices_are_those_computed_by_hand():
    assert PRICES.fargate.hour_price(2, 4) == pytest.approx(2 * 0.04048 + 4 * 0.004445)
    assert PRICES.objects.requests_price(1000, 10_000) == pytest.approx(0.005 + 0.004)
    assert PRICES.objects.kept_price(10e9, 73) == pytest.approx(10 * 0.023 / 10)
    assert PRICES.files.transfer_price(2e9, 3e9) == pytest.approx(2 * 0.03 + 3 * 0.06)
    assert PRICES.server.work_price(3600) == pytest.approx(0.02 / 0.25)
    assert PRICES.redis.month_price(2_000_000) == pytest.approx(0.084 * 0.1 * 730 + 2 * 0.0023)


@pytest.mark.parametrize(
    ("written", "instead"),
    [("request = 0.0000002", ""), ("request = 0.0000002", "request = -1"), ("[efs]", "[nfs]")],
)
def test_read_prices_missing_or_impossible_price_is_refused_by_name(tmp_path, written, instead):
    path = tmp_path / "prices.toml"
    path.write_text(DEFAULT_PRICES.read_text(encoding="utf-8").replace(written, instead), encoding="utf-8")
    with pytest.raises(ValueError, match=r"request|\[efs\]"):
        read_prices(path)


def test_duration_half_a_processor_takes_twice_as_long_and_more_than_it_can_use_is_of_no_use():
    use = StepUse(cpu_s=10.0, waits_s=1.0)
    assert [use.duration_s(vcpus, 1.6) for vcpus in (0.5, 1, 1.6, 4)] == [21.0, 11.0, 7.25, 7.25]
    assert use.duration_s(2, 0.9) == 11.0


def test_fit_separates_what_is_fixed_from_what_grows():
    samples = [
        Sample("encoding/audio", length_s, StepUse(cpu_s=2 + 0.5 * length_s, memory_bytes=memory, scratch_bytes=disk))
        for length_s, memory, disk in ((10, 300, 50), (20, 200, 40), (100, 250, 600))
    ]
    cost = fit(samples)
    assert cost.use(3600).cpu_s == pytest.approx(2 + 1800)
    assert cost.use(3600).memory_bytes == 300
    assert cost.use(3600).scratch_bytes == pytest.approx(6 * 3600)


def test_fit_never_falls_nor_begins_below_zero():
    falling = fit([Sample("x", 10, StepUse(cpu_s=3)), Sample("x", 20, StepUse(cpu_s=1))])
    assert (falling.fixed.cpu_s, falling.per_media_s.cpu_s) == (2, 0)
    below = fit([Sample("x", 10, StepUse(cpu_s=1)), Sample("x", 20, StepUse(cpu_s=4))])
    assert below.fixed.cpu_s == 0
    assert below.per_media_s.cpu_s == pytest.approx((10 * 1 + 20 * 4) / (100 + 400))


def test_write_costs_are_read_as_they_were(tmp_path):
    costs = {"encoding/chunk": ActionCost(StepUse(cpu_s=1.5), StepUse(cpu_s=1.25, reads=0.5), 1.5)}
    write_costs(tmp_path / "costs.json", costs, "a machine")
    assert read_costs(tmp_path / "costs.json") == (costs, "a machine")


def test_size_of_adds_up_steps_and_waits_for_the_longest_of_each_stage():
    steps = [step("plan", 1), step("encode", 40, waits_s=2), step("encode", 60), step("package", 5)]
    size = size_of(steps, 1769, 512, PRICES)
    assert (size.seconds, size.ready_s, size.longest_s) == (108, 66, 60)
    assert size.gb_s == pytest.approx(108 * 1769 / 1024)
    assert size.price == pytest.approx(108 * 1769 / 1024 * 0.0000166667)


def test_choose_size_takes_the_fastest_of_the_cheapest_that_suffice():
    steps = [step("encode", 60, parallel=2.0)]
    sizes = [size_of(steps, memory_mb, 512, PRICES) for memory_mb in (885, 1769, 3538, 7076)]
    # up to two processors everything costs the same; from there on, processors idle
    assert choose_size(sizes, needed_memory_mb(steps)).memory_mb == 3538
    assert choose_size(sizes, 4000).memory_mb == 7076


def test_needed_memory_and_disk_have_a_quarter_to_spare():
    steps = [step("encode", 1, memory_mb=800), step("package", 1, memory_mb=300, scratch_mb=900)]
    assert needed_memory_mb(steps) == 1000
    assert needed_ephemeral_mb(steps) == 1536  # 1,125 MB, in halves of a GB
    assert needed_ephemeral_mb([step("encode", 1)]) == 512


def test_longest_video_is_where_the_step_takes_as_long_as_lambda_permits():
    cost = ActionCost(StepUse(cpu_s=100), StepUse(cpu_s=0.08))
    assert longest_video_s(cost, 1769) == pytest.approx(10_000)  # (900 − 100) / 0.08
    assert math.isinf(longest_video_s(ActionCost(StepUse(cpu_s=1), StepUse()), 1769))


def test_job_steps_of_an_hour_cover_all_its_seconds_once():
    steps = job_steps(encoding_stages(3600), 3600, {"encoding/chunk": ActionCost(StepUse(), StepUse(cpu_s=1))})
    assert len(steps) == 60
    assert sum(one.media_s for one in steps) == 3600
    assert sum(one.use.cpu_s for one in steps) == 3600
