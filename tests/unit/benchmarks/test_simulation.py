"""A simulated day does every step once, in no instance more than it has slots for, and the same for the same seed."""

import pytest

from benchmarks.autoscale import plan_video
from benchmarks.instances import instance_hours
from benchmarks.scalers import Keda, Knative, LambdaPool
from benchmarks.simulation import OVERHEAD_S, Farm, PlannedStep, PlannedVideo, simulate, simulate_workers
from benchmarks.step_costs import ActionCost, StepUse
from benchmarks.university_day import DAY_S, Video, make_day

HOUR_S = 3600.0
COSTS = {
    f"encoding/{action}": ActionCost(StepUse(cpu_s=fixed), StepUse(cpu_s=growing))
    for action, fixed, growing in (
        ("plan", 1, 0), ("audio", 1, 0.07), ("chunk", 2, 1), ("package", 1, 0.01), ("images", 1, 0), ("publish", 1, 0),
    )
}  # fmt: skip
FARMS = [
    pytest.param(lambda: Farm("Knative", 2, 5.0, 20, scaler=Knative(20, target=1.4)), id="knative"),
    pytest.param(lambda: Farm("KEDA", 2, 5.0, 20, scaler=Keda(20, target=2.0)), id="keda"),
    pytest.param(lambda: Farm("Lambda", 1, 2.0, 40, pool=LambdaPool(40)), id="lambda"),
    pytest.param(lambda: Farm("farm", 4, 0.0, 3), id="farm"),
]


def videos(count=8, seed=1):
    drawn = make_day(count, seed)
    return [plan_video(Video(video.name, video.arrives_s / 24, video.length_s / 10), COSTS) for video in drawn]


@pytest.mark.parametrize("farm", FARMS)
def test_simulate_every_step_is_done_once_in_a_slot(farm):
    planned = videos()
    day = simulate(planned, farm(), HOUR_S)
    steps = [step for video in planned for stage in video.stages for step in stage]
    assert day.performed == len(steps)
    assert day.work_s == pytest.approx(sum(step.duration_s for step in steps))
    assert day.most_busy <= farm().slots
    assert set(day.ready_s) == {video.video.name for video in planned}
    for video in planned:
        assert day.ready_s[video.video.name] >= sum(max(s.duration_s for s in stage) for stage in video.stages)


@pytest.mark.parametrize("farm", FARMS)
def test_simulate_there_are_instances_for_all_work(farm):
    day = simulate(videos(), farm(), HOUR_S)
    until_s = day.history[-1][0] + HOUR_S
    assert instance_hours(day.history, until_s) * farm().slots * 3600 >= day.work_s


@pytest.mark.parametrize("farm", FARMS[:3])
def test_simulate_without_videos_no_instance_is_there(farm):
    day = simulate([], farm(), HOUR_S)
    assert instance_hours(day.history, HOUR_S) == 0


@pytest.mark.parametrize("farm", FARMS[:3])
def test_simulate_after_the_day_all_instances_are_gone(farm):
    day = simulate(videos(), farm(), HOUR_S)
    assert max(count for _, count in day.history) > 0
    assert day.history[-1][1] == 0


def test_simulate_same_seed_same_day_another_seed_another():
    results = [simulate(videos(seed=seed), FARMS[0].values[0](), HOUR_S) for seed in (1, 1, 2)]
    assert results[0] == results[1]
    assert results[0].ready_s != results[2].ready_s


def test_simulate_one_video_alone_takes_its_stages_and_a_cold_start():
    video = PlannedVideo(Video("one", 10.0, 60.0), ((PlannedStep(1, 1),), (PlannedStep(9, 20), PlannedStep(9, 30))))
    day = simulate([video], Farm("Lambda", 1, 2.0, 40, pool=LambdaPool(40)), HOUR_S)
    # an environment starts for the plan, and one more for the second step of the next stage, which ends first
    assert day.ready_s["one"] == pytest.approx(2 + 1 + 2 + 30 + 2 * OVERHEAD_S)
    assert day.cold_starts == 2


def test_simulate_short_video_passes_a_long_one_that_came_before():
    long = PlannedVideo(Video("long", 0.0, 7200.0), ((PlannedStep(1, 1),), tuple([PlannedStep(60, 60)] * 100)))
    short = PlannedVideo(Video("short", 100.0, 60.0), ((PlannedStep(1, 1),), (PlannedStep(60, 60),)))
    day = simulate([long, short], Farm("farm", 2, 0.0, 1), HOUR_S)
    assert day.ready_s["short"] < 3 * 61
    assert day.ready_s["long"] > 50 * 60


def test_simulate_workers_one_video_at_a_time_in_their_order():
    waiting = [(Video(name, arrives_s, 60.0), 100.0) for name, arrives_s in (("a", 0.0), ("b", 10.0), ("c", 20.0))]
    day = simulate_workers(waiting, 2)
    assert day.ready_s == {"a": 100.0, "b": 100.0, "c": 180.0}
    assert day.end_s == 200.0


def test_make_day_has_bursts_at_noon_and_in_the_evening():
    day = make_day(1000, 1)
    assert [video.arrives_s for video in day] == sorted(video.arrives_s for video in day)
    assert all(0 <= video.arrives_s <= DAY_S and video.length_s > 0 for video in day)
    for hour in (12, 18):
        burst = sum(hour - 0.5 <= video.arrives_s / HOUR_S < hour + 1 for video in day)
        assert burst > 200
    assert make_day(1000, 1) == day != make_day(1000, 2)
