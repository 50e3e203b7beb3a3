"""Chooses the sound of a recording, and encodes it in one piece.

Microphones are muted, and some sources have a track without a packet: what is heard is measured.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import ffmpeg

from podjobs.contract.commands import Access, CommandLimits, MediaInput
from podjobs.contract.errors import PermanentError
from podjobs.contract.plans import Result
from podjobs.encoding.commands import ffmpeg_argv
from podjobs.encoding.limits import FACTOR, HIGHEST_SOUND_BPS, READ_BYTES_PER_S, cpu_limit_s, file_limit_bytes
from podjobs.encoding.results import AudioResult
from podjobs.encoding.settings import EncodingSettings
from podjobs.encoding.sound import SAMPLE_RATE_HZ, SoundCut, cut_sound, exactly, in_stereo
from podjobs.encoding.steps import AUDIO_FOLDER, RATES
from podjobs.encoding.workspace import Workspace
from podjobs.media.commands import KEEP_GOING
from podjobs.media.decodable import gives_sound
from podjobs.media.limits import watch_length
from podjobs.studio.context import StudioContext
from podjobs.studio.recipe import Sound, StudioRecipe
from podjobs.studio.steps import TRACK

SILENT_DBFS = -60.0
"""Peak below which a microphone was muted or not connected: speech of a quiet speaker peaks 30 dB above."""
MEASURED_S = 10
"""Peaks are measured over so many seconds each."""
PEAK = "lavfi.astats.Overall.Peak_level"
HIGHEST_MIX = 0.95
"""Share of full scale that a mix does not exceed."""


class Heard(NamedTuple):
    """A sound that can be decoded, and how loud it is."""

    sound: Sound
    peak_dbfs: float
    """Of the part that is kept; minus infinity: digital silence."""


def peak_argv(cut: SoundCut, settings: EncodingSettings) -> list[str]:
    """The ffmpeg command that writes the peak of each few seconds of a sound to stdout.

    Args:
        cut: the part.
        settings: the ffmpeg command.
    """
    samples = (
        cut_sound(cut, settings)
        .filter("asetnsamples", n=MEASURED_S * SAMPLE_RATE_HZ, p=0)
        .filter("astats", metadata=1, reset=1, measure_perchannel="none", measure_overall="Peak_level")
        .filter("ametadata", mode="print", key=PEAK, file="pipe:1")
    )
    return ffmpeg_argv([ffmpeg.output(samples, "-", f="null")], settings, *KEEP_GOING)


def read_peak(output: str) -> float:
    """Read the highest peak in dBFS; minus infinity: there is none. Pure."""
    found = re.findall(rf"^{re.escape(PEAK)}=(-?\d+(?:\.\d+)?)", output, re.MULTILINE)
    return max(map(float, found), default=-float("inf"))


def choose_sounds(heard: Sequence[Heard], *, mix: bool) -> tuple[tuple[Sound, ...], tuple[str, ...]]:
    """Choose what is heard. Pure.

    Args:
        heard: by preference.
        mix: whether all that is not silent is heard.

    Returns:
        The sounds to mix, usually one, and sentences about them.
    """
    loud = [one for one in heard if one.peak_dbfs > SILENT_DBFS]
    log = [
        f"The sound of the {one.sound.name} is silent (its peak is {_decibels(one.peak_dbfs)})."
        for one in heard
        if one not in loud
    ]
    chosen = loud if mix else loud[:1]
    # a silent track is better than none: players show that there is a sound
    chosen = chosen or list(heard[:1])
    if loud:
        names = " and ".join(f"the {one.sound.name}" for one in chosen)
        what = "The sounds of" if len(chosen) > 1 else "The sound of"
        verb = "are mixed" if len(chosen) > 1 else "is heard"
        peaks = ", ".join(_decibels(one.peak_dbfs) for one in chosen)
        log.append(f"{what} {names} {verb} (peak {peaks}).")
    return tuple(one.sound for one in chosen), tuple(log)


def audio_argv(recipe: StudioRecipe, cuts: Sequence[SoundCut], path: str, settings: EncodingSettings) -> list[str]:
    """The ffmpeg command that encodes the sound: exactly as long as the picture.

    Args:
        recipe: what is composed.
        cuts: the sounds to mix.
        path: of the M4A file.
        settings: the ffmpeg command.
    """
    stereo = len(cuts) > 1 or cuts[0].audio.channels > 1
    sounds = [cut_sound(cut, settings) for cut in cuts]
    whole: Any = sounds[0]
    if len(cuts) > 1:
        # each as long as the picture: otherwise the mix would become louder where one of them ends
        pairs = zip(sounds, cuts, strict=True)
        parts = [exactly(in_stereo(sound, cut.audio), recipe.duration_s) for sound, cut in pairs]
        mixed = ffmpeg.filter(parts, "amix", inputs=len(parts), normalize=0)
        whole = mixed.filter("alimiter", limit=HIGHEST_MIX, level=0)
    whole = exactly(whole, recipe.duration_s).filter("aformat", channel_layouts="stereo" if stereo else "mono")
    options = {"c:a": "aac", "b:a": recipe.rendition.audio_bps, "f": "ipod", "map_chapters": -1, "map_metadata": -1}
    # -progress: sound that does not end is noticed while it is encoded
    return ffmpeg_argv([ffmpeg.output(whole, path, **options)], settings, *KEEP_GOING, "-progress", "pipe:1")


def encode_audio(context: StudioContext) -> Result:
    """Encode the sound and leave it in the job's work folder: none if no source has any that can be decoded.

    Raises:
        PermanentError: ffmpeg fails on these sources.
        RetryableError: a source does not exist.
    """
    recipe, work = context.recipe, context.work
    heard, log = _listen(recipe, work)
    if not heard:
        return AudioResult(notes=log).reply(log)
    chosen, said = choose_sounds(heard, mix=work.settings.podjobs_studio_sound == "mix")
    log += said
    cuts = [_cut_of(sound, recipe, work) for sound in chosen]
    with work.writing(AUDIO_FOLDER) as folder:
        _run(audio_argv(recipe, cuts, str(folder / TRACK), work.settings), cuts, recipe, folder, work)
    return AudioResult(files=(TRACK,), duration_s=recipe.duration_s, notes=log).reply(log)


def _listen(recipe: StudioRecipe, work: Workspace) -> tuple[list[Heard], tuple[str, ...]]:
    """Measure every sound. Returns those that can be decoded, and a sentence about each other one."""
    heard: list[Heard] = []
    log: list[str] = []
    for sound in recipe.sounds:
        span_s = (sound.origin_s, sound.origin_s + recipe.duration_s)
        if not gives_sound(sound.source, sound.audio, work, span_s):
            log.append(f"The {sound.name} has a sound track in which nothing can be heard: it is left out.")
            continue
        cut = _cut_of(sound, recipe, work)
        try:
            peaks = _run(peak_argv(cut, work.settings), [cut], recipe, None, work)
        except PermanentError as error:
            log.append(f"The sound of the {sound.name} cannot be decoded, and is left out: {error.detail}")
            continue
        heard.append(Heard(sound, read_peak(peaks)))
    return heard, tuple(log)


def _cut_of(sound: Sound, recipe: StudioRecipe, work: Workspace) -> SoundCut:
    source: MediaInput = work.storage.input_of(sound.source)
    return SoundCut(source, sound.audio, sound.file_start_s, sound.origin_s, recipe.duration_s)


def _run(
    argv: Sequence[str], cuts: Sequence[SoundCut], recipe: StudioRecipe, folder: Path | None, work: Workspace
) -> str:
    read_bytes = sum(work.storage.size_bytes(sound.source) for sound in recipe.sounds)
    cpu_s = len(cuts) * recipe.duration_s / RATES["audio"].per_s + read_bytes / READ_BYTES_PER_S
    file_bytes = file_limit_bytes(HIGHEST_SOUND_BPS, recipe.duration_s, work.settings)
    return work.run(
        argv,
        access=Access(tuple(cut.source for cut in cuts), folder),
        on_progress=watch_length(cuts[0].source.name, work.settings) if folder else None,
        limits=CommandLimits(cpu_limit_s(cpu_s), file_bytes, FACTOR, yields=True),
    )


def _decibels(dbfs: float) -> str:
    return f"{dbfs:.0f} dBFS" if dbfs > -float("inf") else "digital silence"
