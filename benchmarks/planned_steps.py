"""The stages that the real code plans for a lecture of any length, without a file. Pure."""

import math

from podjobs.contract.jobs import EncodingJob, TranscriptionJob
from podjobs.contract.plans import Stage
from podjobs.contract.reply_to import Nobody
from podjobs.contract.workflows import workflow_of
from podjobs.encoding.boundaries import choose_chunk_s, place_boundaries
from podjobs.encoding.plan import MOST_CHUNKS, write_recipe
from podjobs.encoding.settings import EncodingSettings
from podjobs.encoding.steps import stages_of
from podjobs.media.facts import AudioFacts, MediaFacts, VideoFacts
from podjobs.transcription.hearing.sound import Sound
from podjobs.transcription.hearing.split import place_marks
from podjobs.transcription.recipe import Recipe as TranscriptionRecipe
from podjobs.transcription.settings import TranscriptionSettings
from podjobs.transcription.steps import stages_of as transcription_stages_of

SOURCE = "videos/lecture.mp4"
FRAME_RATE = 25.0
AUDIO = AudioFacts(index=1, codec="aac", sample_rate_hz=48_000, channels=2, start_s=0.0)


def encoding_stages(length_s: float) -> tuple[Stage, ...]:
    """All stages of an encoding job with the default settings, the plan and the notification included.

    Args:
        length_s: of a 1080p video with sound whose chunks begin at exact multiples of their length, as they do where
            key frames are near.
    """
    settings = EncodingSettings(media_root="/pod", media_url="file:///media")
    job = EncodingJob(id="lecture", target="1", source=SOURCE, output_folder="videos/0001", reply_to=Nobody())
    recipe = write_recipe(job, _facts(length_s), SOURCE, settings)
    shortest_s = math.ceil(length_s / MOST_CHUNKS)
    chunk_s = choose_chunk_s(
        length_s,
        max(shortest_s, settings.podjobs_chunk_min_s),
        max(shortest_s, settings.podjobs_chunk_max_s),
        settings.podjobs_chunks_per_video,
        settings.ffmpeg_hls_time,
    )
    recipe = recipe.model_copy(update={"starts_s": place_boundaries(length_s, chunk_s, ())})
    return (workflow_of(job).first_stage, *stages_of(recipe, job))


def transcription_stages(length_s: float) -> tuple[Stage, ...]:
    """All stages of a transcription with the default settings, cut at exact marks.

    Args:
        length_s: of the sound.
    """
    settings = TranscriptionSettings.model_validate(
        {
            "media_root": "/pod",
            "media_url": "file:///media",
            "transcription_model_param": {"WHISPER": {"en": {"model": "en"}}},
        }
    )
    job = TranscriptionJob(
        id="lecture", target="1", source=SOURCE, captions="captions.vtt", language="en", reply_to=Nobody()
    )
    recipe = TranscriptionRecipe(
        sound=Sound.of(SOURCE, _facts(length_s), AUDIO),
        length_s=length_s,
        cuts_s=tuple(place_marks(length_s, settings)),
        language="en",
    )
    return (workflow_of(job).first_stage, *transcription_stages_of(recipe, job, asks_topic=True))


def _facts(length_s: float) -> MediaFacts:
    video = VideoFacts(
        index=0, codec="h264", width_px=1920, height_px=1080, frame_rate=FRAME_RATE, start_s=0.0,
        frames=round(length_s * FRAME_RATE), end_s=length_s,
    )  # fmt: skip
    return MediaFacts(
        format_name="mov,mp4,m4a,3gp,3g2,mj2", start_s=0.0, duration_s=length_s, video=video,
        audio=AUDIO.model_copy(update={"end_s": length_s}), streams=2,
    )  # fmt: skip
