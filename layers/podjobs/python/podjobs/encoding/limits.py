"""The limits of each encoding command, from what its step can be expected to cost. Pure.

The expectation is that of the progress display (RATES in steps.py), for a typical machine and an ordinary source, and
the limit many times as much (SLOWEST): a command that exceeds it was made to. Files are limited by the bit rates of the
ladder, as x264 and the sound's encoders keep to them.
See docs/decisions/0023-what-an-upload-may-cost.md.
"""

import math

from podjobs.contract.commands import CommandLimits
from podjobs.encoding.ladder import BUFFER_S, Rendition
from podjobs.encoding.recipe import ASSUMED_FRAME_RATE, Chunk, Recipe
from podjobs.encoding.settings import EncodingSettings
from podjobs.encoding.steps import RATES, SLOWEST, chunk_length_s, chunk_pixels
from podjobs.encoding.storing import expect_cost
from podjobs.media.facts import MediaFacts
from podjobs.media.limits import SMALL_FILE_BYTES

LEAST_CPU_S = 60
"""Even if next to nothing is expected: programs are loaded, streams analysed, headers read."""
LEAST_FILE_BYTES = 1 << 20
DECODED_PX_PER_S = 100_000_000
"""Pixels that one core decodes, scales and maps in a second, of a codec that is slow to decode."""
LONGEST_GOP_S = 600
"""Decoding begins at a key frame; some recorders write one every ten minutes."""
READ_BYTES_PER_S = 100_000_000
"""How fast one core takes packets out of a container."""
PACKETS_BYTES_PER_S = 64 << 10
"""What containers add to a second of picture and sound: headers, tables, stuffing."""
HIGHEST_SOUND_BPS = 320_000
"""MP3 ends there."""
LOWEST_SOUND_BPS = 4_750
"""AMR's lowest rate: a file of unknown length is expected to be no longer than at this rate."""
LOSSLESS_BYTES_PER_S = 8 * 2 * 96_000
"""Eight channels of FLAC in 16 bits at 96 kHz, not compressed."""

LEAST_CHUNK_BYTES = 16 << 10
"""Of the source. Starting the command costs more than encoding so little, even of a picture that does not move."""
FACTOR = "PODJOBS_MAX_OUTPUT_FACTOR"
IMAGE_FILES = WATERMARK_FILE = SMALL_FILE_BYTES
SUBTITLE_FILES = 64 << 20


def shortest_chunk_s(duration_s: float, size_bytes: int, grid_s: int) -> int:
    """The shortest chunks that the size of a source justifies: a small file may claim any length.

    Args:
        duration_s: length of the output.
        size_bytes: of the source.
        grid_s: length of a segment; chunks are whole numbers of segments.
    """
    most = 1 + size_bytes // LEAST_CHUNK_BYTES
    return math.ceil(duration_s / most / grid_s) * grid_s


def chunk_limits(recipe: Recipe, chunk: Chunk, settings: EncodingSettings) -> CommandLimits:
    """The limits of the command that encodes one chunk.

    Args:
        recipe: the job.
        chunk: the part to encode.
        settings: the longest media, and the factor for the size of files.
    """
    credit = recipe.credit_of(chunk)
    facts = credit.facts if credit else recipe.facts
    length_s = chunk_length_s(recipe, chunk, settings.podjobs_max_duration_s)
    cpu_s = chunk_pixels(recipe, length_s) / RATES["chunk"].per_s
    if video := facts.video:
        lead_s = min(max(0.0, recipe.origin_s - facts.start_s) + chunk.start_s, LONGEST_GOP_S)
        frames = (length_s + lead_s) * (video.frame_rate or ASSUMED_FRAME_RATE)
        cpu_s += frames * video.width_px * video.height_px / DECODED_PX_PER_S
    file_bytes = max(file_limit_bytes(rendition.maxrate_bps, length_s, settings) for rendition in recipe.renditions)
    return CommandLimits(cpu_limit_s(cpu_s), file_bytes, FACTOR)


def audio_limits(recipe: Recipe, size_bytes: int, settings: EncodingSettings) -> CommandLimits:
    """The limits of the command that encodes the sound.

    Args:
        recipe: the job.
        size_bytes: of the source.
        settings: the longest media, and the factor for the size of files.
    """
    longest_s = settings.podjobs_max_duration_s
    expected_s = recipe.output_s or _longest_sound_s(size_bytes, longest_s)
    cpu_s = expected_s / RATES["audio"].per_s + size_bytes / READ_BYTES_PER_S
    rate_bps = max(HIGHEST_SOUND_BPS, *recipe.audio_rates_bps, 0)
    file_bytes = file_limit_bytes(rate_bps, recipe.output_s or longest_s, settings)
    # hours of sound take minutes, which the chunks of other videos should not notice
    return CommandLimits(cpu_limit_s(cpu_s), file_bytes, FACTOR, yields=True)


def package_limits(recipe: Recipe, rendition: Rendition, settings: EncodingSettings) -> CommandLimits:
    """The limits of the command that packages a rendition: its files are as large as its chunks and its sound together.

    Args:
        recipe: the job.
        rendition: what to package.
        settings: the longest media, and the factor for the size of files.
    """
    longest_s = settings.podjobs_max_duration_s
    length_s = recipe.output_s or longest_s
    file_bytes = file_limit_bytes(HIGHEST_SOUND_BPS + rendition.audio_bps, length_s, settings)
    for chunk in recipe.chunks:
        file_bytes += file_limit_bytes(rendition.maxrate_bps, chunk_length_s(recipe, chunk, longest_s), settings)
    return CommandLimits(cpu_limit_s(length_s / RATES["package"].per_s), file_bytes, FACTOR)


def subtitle_limits(size_bytes: int) -> CommandLimits:
    """The limits of the command that converts subtitles, for which the whole file is read.

    Args:
        size_bytes: of the source.
    """
    return CommandLimits(cpu_limit_s(size_bytes / READ_BYTES_PER_S), SUBTITLE_FILES)


def repackage_limits(facts: MediaFacts, size_bytes: int, settings: EncodingSettings) -> CommandLimits:
    """The limits of the command that repackages a source: packets are copied, or coded anew without loss.

    Args:
        facts: of the source.
        size_bytes: its size.
        settings: the longest media.
    """
    longest_s = settings.podjobs_max_duration_s
    sound_s = 0.0
    if facts.audio is not None:
        sound_s = max(min(facts.duration_s or 0.0, longest_s), _longest_sound_s(size_bytes, longest_s))
    video_s, video_bytes = expect_cost(facts, size_bytes, longest_s)
    cpu_s = size_bytes / RATES["repackage"].per_s + sound_s / RATES["audio"].per_s + video_s
    file_bytes = LEAST_FILE_BYTES + 2 * size_bytes + math.ceil(sound_s * LOSSLESS_BYTES_PER_S) + video_bytes
    return CommandLimits(cpu_limit_s(cpu_s), file_bytes)


def _longest_sound_s(size_bytes: int, longest_s: float) -> float:
    return min(longest_s, 8 * size_bytes / LOWEST_SOUND_BPS)


def cpu_limit_s(expected_s: float) -> int:
    """The limit for a command that can be expected to take so many seconds of processor time."""
    return LEAST_CPU_S + math.ceil(expected_s * SLOWEST)


def file_limit_bytes(rate_bps: int, length_s: float, settings: EncodingSettings) -> int:
    """How large a file of this bit rate and length may become."""
    per_s = rate_bps / 8 + PACKETS_BYTES_PER_S
    return LEAST_FILE_BYTES + math.ceil(settings.podjobs_max_output_factor * per_s * (length_s + BUFFER_S))
