"""The rate-distortion table behind the default tuning: for each rendition the cheapest x264 settings that are no worse.

No worse than Pod's own encode means: VMAF above, by a margin, and bytes at most those of Pod's flags on the same
pictures.
"""

import json
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks import pod_baseline
from benchmarks.measure import Target, console, judge, new_table, run_measured
from podjobs.encoding.chunk import key_frames, x264_options
from podjobs.encoding.ladder import TUNINGS, Rendition, choose_level, choose_renditions
from podjobs.encoding.recipe import Chunk
from podjobs.encoding.settings import EncodingSettings
from podjobs.media.facts import VideoFacts
from podjobs.rendition_settings import DEFAULT_RENDITIONS
from support.source import FRAME_RATE, make_source
from support.vmaf import measure_vmaf

FIRST_CRF, LOWEST_CRF, HIGHEST_CRF = 20.0, 17.0, 25.0
FINEST_STEP = 0.25
VMAF_MARGIN = 0.05
"""How much better than the baseline the chosen settings must be: other lectures differ from this one."""
VMAF_EVERY = 3
"""One frame in this many is measured. No divisor of the key-frame distances: key frames look better than others."""
CANDIDATES = (
    ("veryfast", 1),
    ("veryfast", 2),
    ("faster", 1),
    ("faster", 2),
    ("faster", 3),
    ("fast", 1),
    ("fast", 2),
    ("medium", 1),
    ("medium", 2),
    ("medium", 3),
    ("slow", 1),
    ("slow", 2),
)
"""Preset and reference frames, roughly by increasing cost."""


@dataclass(frozen=True)
class Row:
    """One encode of the excerpt."""

    preset: str
    references: int | None
    crf: float
    cpu_s: float
    size_bytes: int
    vmaf: float
    level: str

    def is_no_worse(self, other: "Row") -> bool:
        """VMAF above and bytes at most the other's."""
        return self.vmaf >= other.vmaf + VMAF_MARGIN and self.size_bytes <= other.size_bytes


@dataclass(frozen=True)
class Excerpt:
    """The pictures of one rendition, scaled but not encoded, and where the encodes go."""

    pictures: Path
    seconds: int
    rendition: Rendition
    folder: Path
    settings: EncodingSettings

    def encode_like_pod(self) -> Row:
        """Encode with Pod's flags."""
        setting = next(one for one in DEFAULT_RENDITIONS if str(one.height_px) == self.rendition.name)
        return self._encode("Pod: slow", None, 20.0, pod_baseline.video_options(setting), level="3")

    def encode(self, preset: str, references: int, crf: float) -> Row:
        """Encode with our flags for a chunk."""
        size = (self.rendition.width_px, self.rendition.height_px)
        level = choose_level(*size, FRAME_RATE, references, self.rendition.maxrate_bps)
        rendition = self.rendition.model_copy(
            update={"preset": preset, "references": references, "crf": crf, "level": level}
        )
        options = [
            text for name, value in x264_options(rendition, self.settings).items() for text in (f"-{name}", str(value))
        ]
        whole = Chunk(number=0, start_s=0, end_s=None, expected_end_s=self.seconds)
        options += ["-force_key_frames", key_frames(whole, self.settings.ffmpeg_hls_time)]
        return self._encode(preset, references, crf, options, level=level)

    def _encode(self, preset: str, references: int | None, crf: float, options: list[str], *, level: str) -> Row:
        made = self.folder / "made.nut"
        read = [self.settings.ffmpeg_cmd, "-hide_banner", "-nostdin", "-loglevel", "error", "-y"]
        cost = run_measured([*read, "-i", str(self.pictures), *options, "-f", "nut", str(made)])
        vmaf = measure_vmaf(made, self.pictures, self.rendition.height_px, every=VMAF_EVERY)
        row = Row(preset, references, crf, cost.cpu_s, made.stat().st_size, vmaf, level)
        text = (
            f"{preset} refs {references} crf {crf:g}: {cost.cpu_s:.1f} CPU s, {row.size_bytes} bytes, VMAF {vmaf:.2f}"
        )
        console.print(f"[dim]{self.rendition.name}p {text}[/]")
        return row


def search_crf(excerpt: Excerpt, preset: str, references: int, baseline: Row) -> Iterator[Row]:
    """Encode with one CRF after another until one is no worse than the baseline, or none can be."""
    too_large = too_bad = None  # the nearest CRF known to be so: what is wanted lies between them
    crf = FIRST_CRF
    while LOWEST_CRF <= crf <= HIGHEST_CRF:
        row = excerpt.encode(preset, references, crf)
        yield row
        is_bad, is_large = row.vmaf < baseline.vmaf + VMAF_MARGIN, row.size_bytes > baseline.size_bytes
        if is_bad == is_large:  # no worse, or no CRF can mend both
            return
        too_large, too_bad = (crf, too_bad) if is_large else (too_large, crf)
        if too_large is None:
            crf -= 1
        elif too_bad is None:
            crf += 1
        elif too_bad - too_large <= FINEST_STEP:
            return
        else:
            crf = (too_large + too_bad) / 2


def measure_rendition(excerpt: Excerpt, *, everything: bool) -> tuple[Row, list[Row]]:
    """Encode one rendition with Pod's flags and with the candidates.

    Args:
        excerpt: the pictures.
        everything: continue with more expensive candidates after the first one that is no worse.
    """
    baseline = excerpt.encode_like_pod()
    rows: list[Row] = []
    for preset, references in CANDIDATES:
        rows += search_crf(excerpt, preset, references, baseline)
        if not everything and any(row.is_no_worse(baseline) for row in rows):
            break
    return baseline, rows


def print_rendition(name: str, baseline: Row, rows: list[Row], best: Row | None) -> None:
    """Print what was measured, with the chosen settings in green."""
    columns = ("preset", "refs", "CRF", "level", "CPU s", "CPU / Pod", "bytes", "bytes / Pod", "VMAF", "VMAF − Pod")
    table = new_table(f"{name}p", *columns)
    for row in [baseline, *rows]:
        table.add_row(
            row.preset,
            str(row.references or "as level"),
            f"{row.crf:g}",
            row.level,
            f"{row.cpu_s:.1f}",
            f"{row.cpu_s / baseline.cpu_s:.2f}",
            f"{row.size_bytes:,}",
            f"{row.size_bytes / baseline.size_bytes:.3f}",
            f"{row.vmaf:.2f}",
            f"{row.vmaf - baseline.vmaf:+.2f}",
            style="bold green" if row is best else "" if row.is_no_worse(baseline) else "dim",
        )
    console.print(table)


def choose_best(baseline: Row, rows: list[Row]) -> Row | None:
    """The cheapest settings that are no worse than the baseline."""
    return min((row for row in rows if row.is_no_worse(baseline)), key=lambda row: row.cpu_s, default=None)


def run(folder: Path, seconds: int, heights_px: tuple[int, ...], *, everything: bool) -> int:
    """Measure all renditions, print the tables and the tuning to put into podjobs/encoding/ladder.py."""
    source = make_source(folder, seconds)
    settings = EncodingSettings(media_root=str(folder))
    facts = VideoFacts(
        index=0,
        codec="h264",
        width_px=1920,
        height_px=1080,
        frame_rate=FRAME_RATE,
        start_s=0,
        frames=seconds * FRAME_RATE,
    )
    chosen: dict[str, Row | None] = {}
    targets: list[Target] = []
    for rendition in choose_renditions(facts, settings):
        if heights_px and rendition.height_px not in heights_px:
            continue
        with tempfile.TemporaryDirectory(dir=folder) as work:
            pictures = scale_source(source, rendition, Path(work), settings)
            excerpt = Excerpt(pictures, seconds, rendition, Path(work), settings)
            baseline, rows = measure_rendition(excerpt, everything=everything)
        best = chosen[rendition.name] = choose_best(baseline, rows)
        print_rendition(rendition.name, baseline, rows, best)
        record = {"baseline": asdict(baseline), "rows": [asdict(row) for row in rows]}
        (folder / f"ladder-{rendition.name}.json").write_text(json.dumps(record, indent=1), encoding="utf-8")
        targets.append(_target(rendition.name, baseline, best))
    print_tunings(chosen)
    return judge(targets)


def scale_source(source: Path, rendition: Rendition, folder: Path, settings: EncodingSettings) -> Path:
    """Decode and scale once, so that what is measured is the encoder."""
    pictures = folder / "pictures.nut"
    argv = [settings.ffmpeg_cmd, "-hide_banner", "-nostdin", "-loglevel", "error", "-i", str(source), "-an"]
    argv += ["-vf", f"scale={rendition.width_px}:{rendition.height_px}:flags=bicubic,format=yuv420p"]
    run_measured([*argv, "-c:v", "rawvideo", "-f", "nut", str(pictures)])
    return pictures


def _target(name: str, baseline: Row, best: Row | None) -> Target:
    promise = f"{name}p: settings that are no worse than Pod's exist, and cost less"
    if best is None:
        return Target(promise, "none found", holds=False)
    measured = f"{best.preset}, refs {best.references}, CRF {best.crf:g}: CPU × {best.cpu_s / baseline.cpu_s:.2f}"
    return Target(promise, measured, holds=best.cpu_s < baseline.cpu_s)


def print_tunings(chosen: dict[str, Row | None]) -> None:
    """Print the table for podjobs/encoding/ladder.py; a rendition without a choice keeps what it has."""
    limits_px = {"360": 400, "720": 800}
    console.print("\nTUNINGS = (")
    for name, best in chosen.items():
        limit_px = limits_px.get(name, 100_000)
        kept = next(tuning for tuning in TUNINGS if int(name) <= tuning.up_to_px)
        values = (best.preset, best.crf, best.references) if best else (kept.preset, kept.crf, kept.references)
        text = f'up_to_px={limit_px:_}, preset="{values[0]}", crf={values[1]:g}, references={values[2]}'
        console.print(f"    Tuning({text}),", markup=False, highlight=False)
    console.print(")")
