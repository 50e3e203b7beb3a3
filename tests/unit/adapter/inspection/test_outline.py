"""What is left of a stage follows from how many of its steps are ready."""

from adapter.steps.outline import StageOutline, StepGroup, read_outline, write_outline
from podjobs.contract.plans import Stage, StepSpec


def step(action, weight, number):
    return StepSpec(id=f"{action}-{number}", function="encoding", action=action, weight=weight)


def test_outline_joins_steps_with_the_same_action_that_follow_one_another():
    stage = Stage(name="encode", steps=(step("audio", 3, 0), *(step("chunk", 8, number) for number in range(4))))
    notify = Stage(name="notify", steps=(StepSpec(id="notify", function="notification", action="encoding"),))
    text = write_outline((stage, notify))
    encode = '["encode",[["encoding","audio",1,3.0],["encoding","chunk",4,32.0]]]'
    assert text == f'[{encode},["notify",[["notification","encoding",1,1.0]]]]'
    first, last = read_outline(text)
    assert first == StageOutline(
        "encode", (StepGroup("encoding", "audio", 1, 3), StepGroup("encoding", "chunk", 4, 32))
    )
    assert (first.weight, last.weight) == (35, 1)


def test_last_steps_of_a_stage_are_those_whose_turn_has_not_come():
    audio, chunks, text = (
        StepGroup("encoding", "audio", 1, 3),
        StepGroup("encoding", "chunk", 4, 32),
        StepGroup("x", "y", 1, 1),
    )
    stage = StageOutline("encode", (audio, text, chunks))
    assert stage.last_of("encoding", 3) == [StepGroup("encoding", "chunk", 3, 24)]
    assert stage.last_of("encoding", 5) == [audio, chunks]
    assert stage.last_of("encoding", 9) == [audio, chunks]
    assert stage.last_of("x", 1) == [text]
    assert stage.last_of("encoding", 0) == []
