"""The steps of a transcription job: their ids, weights and time limits, and the stages they form. Pure.

what the video is about (if Pod is asked) → transcribe (one step per part) → captions → the notification
"""

import math

from podjobs.contract.jobs import TranscriptionJob
from podjobs.contract.plans import Stage, StepSpec
from podjobs.contract.reply_to import PodCallback
from podjobs.contract.requests import DEFAULT_TIMEOUT_S
from podjobs.contract.workflows import TOPIC, TOPIC_STEP, workflow_of
from podjobs.transcription.hearing.sound import SLACK_S
from podjobs.transcription.recipe import Part, Recipe

FUNCTION = "transcription"
WORDS_FOLDER = "words"
SLOWEST = 10
"""A step may take this many times its part's length before it times out."""


def stages_of(recipe: Recipe, job: TranscriptionJob, *, asks_topic: bool) -> tuple[Stage, ...]:
    """The stages that follow the plan, including the notification. Pure.

    Args:
        recipe: the parts.
        job: what was requested.
        asks_topic: whether whoever requested it is asked what the video is about, if they can tell.
    """
    parts = recipe.parts(SLACK_S)
    asks = asks_topic and isinstance(job.reply_to, PodCallback)
    captions = StepSpec(id="captions", function=FUNCTION, action="captions", needs=("transcribe",))
    return (
        *((Stage(name=TOPIC, steps=(TOPIC_STEP,)),) if asks else ()),
        Stage(name="transcribe", steps=tuple(_part_step(part) for part in parts)),
        Stage(name="captions", steps=(captions,)),
        workflow_of(job).notification_stage,
    )


def _part_step(part: Part) -> StepSpec:
    """Its weight is its length: progress is counted in seconds of sound."""
    return StepSpec(
        id=part.name,
        function=FUNCTION,
        action="transcribe",
        needs=(TOPIC,),
        params=part.model_dump(),
        weight=max(0.1, round(part.length_s, 3)),
        timeout_s=max(DEFAULT_TIMEOUT_S, math.ceil(part.length_s * SLOWEST)),
    )
