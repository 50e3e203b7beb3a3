"""Finds out whether a sound can be decoded: a header may promise what is not there."""

import ffmpeg

from podjobs.contract.commands import Access
from podjobs.contract.errors import PermanentError
from podjobs.contract.media_paths import Key
from podjobs.media.commands import KEEP_GOING, UNATTENDED, input_options
from podjobs.media.facts import AudioFacts
from podjobs.media.limits import usual_limits
from podjobs.media.workspace import MediaWorkspace, S

ENOUGH_SAMPLES = 8
"""So many show that a stream can be decoded."""
SAMPLE_BYTES = 4
MOST_CHANNELS = 64


def gives_sound(
    source: Key, audio: AudioFacts, work: MediaWorkspace[S], span_s: tuple[float | None, float | None] = (None, None)
) -> bool:
    """Whether some samples of a stream can be decoded; the command ends as soon as there are.

    Args:
        source: the file.
        audio: the stream.
        work: runs ffmpeg.
        span_s: where they must lie, on the file's own clock; None: with the file.

    Raises:
        RetryableError: the source does not exist (yet).
    """
    media = work.storage.input_of(source)
    file = ffmpeg.input(media.url, **input_options(media, work.settings), copyts=None)
    bounds = {
        name: f"{time_s:.6f}" for name, time_s in zip(("start", "end"), span_s, strict=True) if time_s is not None
    }
    samples = (
        file[str(audio.index)].filter("atrim", **bounds).filter("atrim", start_sample=0, end_sample=ENOUGH_SAMPLES)
    )
    output = ffmpeg.output(samples, "pipe:1", f="f32le", acodec="pcm_f32le").global_args(*UNATTENDED, *KEEP_GOING)
    limit_bytes = SAMPLE_BYTES * ENOUGH_SAMPLES * max(audio.channels, MOST_CHANNELS)
    argv = list(output.compile(cmd=work.settings.ffmpeg_cmd))
    try:
        limits = usual_limits(work.timeout_s)
        output = work.tools.run(
            argv, timeout_s=work.timeout_s, access=Access((media,)), limit_bytes=limit_bytes, limits=limits
        )
    except PermanentError:
        return False
    return bool(output)
