"""What an action of the transcription function receives."""

from podjobs.contract.steps import Step
from podjobs.media.facts import AudioFacts
from podjobs.transcription.function import TranscriptionContext
from podjobs.transcription.hearing.sound import Sound
from podjobs.transcription.recipe import Recipe
from support.jobs import transcription_job


def test_context_sound_is_where_the_job_says_even_if_it_was_planned_elsewhere():
    audio = AudioFacts(index=0, codec="mp3", sample_rate_hz=44100, channels=2, start_s=0)
    sound = Sound(source="videos/ada/0007/audio_192k.mp3", audio=audio, origin_s=0.5, seeks=True)
    planned = Recipe(sound=sound, length_s=10, cuts_s=(5,), language="en")
    job = transcription_job(mp3filepath="/media/videos/bob/0007/audio_192k.mp3")
    step = Step(
        job=job, step_id="part-0000", function="transcription", action="transcribe", accepted_at=0,
        shared=planned.model_dump(mode="json"),
    )  # fmt: skip
    moved = sound.model_copy(update={"source": "videos/bob/0007/audio_192k.mp3"})
    context = TranscriptionContext(job, step, model=None, work=None)
    assert context.recipe == planned.model_copy(update={"sound": moved})
