"""One source of the corpus, from its making to its verdict."""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from podjobs.contract.errors import StepError
from podjobs.encoding.settings import EncodingSettings
from support.corpus.compare import Result, compare, published_media
from support.corpus.expect import expected_of
from support.corpus.kit import Kit, MakingError, Row
from support.corpus.watch import UNDAMAGED, Seen, sizes_of, watch
from support.media_storages import POD_ROOT
from support.workbench import SMALL_LADDER, Workbench

SAME, BETTER, REFUSED, KEPT_OUT, WORSE = "same", "better", "refused by both", "refused on purpose", "worse"
VERDICTS = (SAME, BETTER, REFUSED, KEPT_OUT, WORSE)
TOOLS_WORDS = re.compile(r"ff(mpeg|probe) (failed|gave|did not|ended)|exit status|trailing '\?'")
"""How a sentence sounds that is not ours."""
OTHER_WAYS: dict[str, dict[str, Any]] = {
    # what is left of a damaged frame is no better than the frame before it
    "frames of damaged packets are left out": {"options": UNDAMAGED},
    "picture and sound are read each alone, as a command that reads both ends too early": {"alone": True},
}
"""Of damaged sources, what plain ffmpeg shows if it is called in other ways: whichever we are like."""
LONGEST_S = 60
"""No source of the corpus may keep us longer."""


@dataclass(frozen=True)
class Verdict:
    """How we fared with a source, beside plain ffmpeg."""

    row: str
    """Its name."""
    word: str
    reasons: tuple[str, ...] = ()
    seconds: float = 0.0
    log: tuple[str, ...] = field(default=())
    """What the job's log says."""
    frames: int = 0
    """So many were compared."""
    chirps: int = 0
    """Likewise."""


def examine(row: Row, folder: Path, materials: Path) -> Verdict:
    """Make a source, let plain ffmpeg and us work on it, and compare.

    Args:
        row: the source.
        folder: an empty one, or one that does not exist yet.
        materials: for what several sources are made of.
    """
    making = folder / "making"
    making.mkdir(parents=True)
    settings = EncodingSettings(
        media_root=POD_ROOT,
        media_url=(folder / "media").as_uri(),
        video_renditions=SMALL_LADDER,
        ffmpeg_preset="veryfast",
        podjobs_chunk_min_s=2,
    )
    bench = Workbench(folder / "media", settings)
    source = bench.folder / row.name
    try:
        row.make(Kit(making, materials), source)
    except MakingError as error:
        return Verdict(row.name, WORSE, (f"it could not be made: {error}",))
    plain = watch(source, sound=row.sound)
    if row.changes_size:
        plain = replace(plain, sizes_px=sizes_of(source))
    begun_s = time.monotonic()
    try:
        info = bench.encode(row.name, **row.request)
    except StepError as error:
        verdict = _refused(row, plain, error, time.monotonic() - begun_s)
        if bench.output.exists():
            return replace(verdict, word=WORSE, reasons=(*verdict.reasons, "but something was published"))
        return verdict
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the verdict
        return Verdict(row.name, WORSE, (f"{type(error).__name__}: {error}",), time.monotonic() - begun_s)
    seconds = time.monotonic() - begun_s
    result = Result(bench.output, info, bench.recipe, tuple(bench.run.log))
    return _published(row, source, plain, result, seconds)


def _refused(row: Row, plain: Seen, error: StepError, seconds: float) -> Verdict:
    sentence = error.detail
    if row.refusal:
        word = KEPT_OUT if row.refusal in sentence else WORSE
        return Verdict(row.name, word, (f"it says: {sentence}",), seconds)
    expected = expected_of(row, plain, 1).seen
    if _means_something(row, expected):
        shown = f"{len(expected.frames)} frames and {len(expected.chirps_s)} chirps"
        return Verdict(row.name, WORSE, (f"refused, but plain ffmpeg gives {shown}: {sentence}",), seconds)
    if TOOLS_WORDS.search(sentence):
        return Verdict(row.name, WORSE, (f"refused by both, but in the tool's words: {sentence}",), seconds)
    return Verdict(row.name, REFUSED, (sentence,), seconds)


def _published(row: Row, source: Path, plain: Seen, result: Result, seconds: float) -> Verdict:
    if row.refusal:
        return Verdict(row.name, WORSE, (f"it was published, but must be refused as {row.refusal!r}",), seconds)
    if plain.is_empty:
        if not any(_means_something(row, watch(file)) for file in published_media(result.output)):
            return Verdict(row.name, WORSE, ("something was published of what nobody can decode",), seconds)
        return Verdict(row.name, BETTER, ("plain ffmpeg refuses it",), seconds, tuple(result.log))
    expected = expected_of(row, plain, result.recipe.decimation)
    findings, remarks = compare(row, expected, result), expected.remarks
    for remark, way in OTHER_WAYS.items():
        if not findings.worse:
            break
        other = replace(watch(source, sound=row.sound, **way), sizes_px=plain.sizes_px)
        retried = compare(row, expected_of(row, other, result.recipe.decimation), result)
        if not retried.worse:
            findings, remarks = retried, (*remarks, remark)
    if seconds > LONGEST_S:
        findings.worse.append(f"it took {seconds:.0f} s")
    if (leftover := result.output.parent.parent.parent / "work").exists():
        findings.worse.append(f"{leftover.name} was left behind")
    if not (findings.frames or findings.chirps or findings.worse):
        findings.worse.append("nothing of it can be recognized, so that nothing was compared")
    word = WORSE if findings.worse else BETTER if findings.better else SAME
    reasons = (*(findings.worse or findings.better), *remarks)
    return Verdict(row.name, word, reasons, seconds, tuple(result.log), findings.frames, findings.chirps)


def _means_something(row: Row, seen: Seen) -> bool:
    """Whether a frame or a chirp can be recognized."""
    return bool(seen.chirps_s) or any(frame.number is not None or not row.numbered for frame in seen.frames)


def count(verdicts: Sequence[Verdict]) -> dict[str, int]:
    """How many there are of each."""
    return {word: sum(verdict.word == word for verdict in verdicts) for word in VERDICTS}
