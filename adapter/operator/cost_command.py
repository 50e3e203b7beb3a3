"""The command that says what jobs cost."""

import json
from typing import TYPE_CHECKING, Any

import click

from adapter.inspection.cost import Amount, Cost, Prices, cost_by_type, cost_of, describe_amount, total_cost
from adapter.inspection.durations import format_seconds
from adapter.inspection.job_reader import JobReader
from adapter.inspection.job_record import JobRecord
from adapter.operation_settings.prices import PriceSettings
from adapter.operator.job_options import filter_options, find_job, read_filter
from adapter.operator.name_completion import complete_jobs
from adapter.operator.terminal import ask_redis, new_table, print_table, settings_or_exit
from adapter.plurals import counted, plural

if TYPE_CHECKING:
    from rich.table import Table

ALL = 1_000_000_000
NOT_STATED = "Money is not stated: set PODJOBS_PRICE_CPU_HOUR and PODJOBS_PRICE_GB_HOUR to what your machines cost."


@click.command()
@click.argument("job_name", metavar="[JOB]", required=False, shell_complete=complete_jobs)
@filter_options
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
def cost(job_name: str | None, *, as_json: bool, **conditions: Any) -> None:
    """Say what a job has cost, or all jobs by type: processor time, memory, energy, money.

    JOB is its id, the beginning of its id, or video:NUMBER (or recording:NUMBER) for the newest job of that. Without
    it, the options choose jobs.
    """
    prices = Prices.of(settings_or_exit(PriceSettings))
    if job_name:
        record = ask_redis(lambda redis: find_job(JobReader(redis), job_name))
        _show_job(record, cost_of(record, prices), as_json=as_json)
        return
    records = ask_redis(lambda redis: JobReader(redis).jobs(read_filter(conditions), ALL))
    by_type = cost_by_type(records, prices)
    total = total_cost(by_type.values(), prices)
    if as_json:
        types = {name: one.as_fields() for name, one in by_type.items()}
        click.echo(json.dumps({"rates": _rates(prices), "types": types, "total": total.as_fields()}))
        return
    rows = [*by_type.items(), *([("all", total)] if len(by_type) > 1 else [])]
    print_table(_table(rows, prices))
    _say_rates(prices)
    if total.unmeasured:
        are = plural(total.unmeasured, "is", "are")
        left_out = f"{total.unmeasured} of {counted(total.jobs, 'job', 'jobs')} {are} not in it"
        click.echo(f"{left_out}: no function has said what was used.")


def _show_job(record: JobRecord, found: Cost, *, as_json: bool) -> None:
    prices = found.prices
    if as_json:
        click.echo(json.dumps({"id": record.id, "type": record.type, "rates": _rates(prices), **found.as_fields()}))
        return
    if not found.is_known:
        click.echo(f"What the job {record.id} has used is not known: no function has said it yet.")
        return
    click.echo(f"{record.id} ({record.type}, {record.state})")
    click.echo(f"  used            {describe_amount(found.used, prices)}")
    if found.lost.cpu_s:
        click.echo(f"  of it, lost     {describe_amount(found.lost, prices)}, by attempts that failed")
    if per_hour := found.per_media_hour:
        length = format_seconds(found.media_s)
        click.echo(f"  an hour of it   {describe_amount(per_hour, prices)} (it is {length} long)")
    _say_rates(prices)


def _table(rows: list[tuple[str, Cost]], prices: Prices) -> "Table":
    columns = ["type", "jobs", "media", "CPU", "GB·h", "Wh", prices.currency, "CPU lost", "CPU/h", "Wh/h"]
    table = new_table(*columns, f"{prices.currency}/h")
    for name, one in rows:
        per_hour = one.per_media_hour
        table.add_row(
            name,
            f"{one.jobs:,}",
            format_seconds(one.media_s) if one.media_s else "",
            *_cells(one.used, prices),
            f"{one.lost.cpu_s / one.used.cpu_s:.1%}" if one.used.cpu_s else "",
            *([cell for number, cell in enumerate(_cells(per_hour, prices)) if number != 1] if per_hour else ()),
        )
    return table


def _cells(amount: Amount, prices: Prices) -> list[str]:
    price = amount.price(prices)
    return [
        format_seconds(amount.cpu_s),
        f"{amount.gb_s / 3600:.3f}",
        f"{amount.energy_wh(prices):.2f}",
        "" if price is None else f"{price:.4f}",
    ]


def _rates(prices: Prices) -> dict[str, Any]:
    return {
        "watts_per_core": prices.watts_per_core,
        "price_cpu_hour": prices.cpu_hour,
        "price_gb_hour": prices.gb_hour,
        "currency": prices.currency,
    }


def _say_rates(prices: Prices) -> None:
    stated = [f"{prices.watts_per_core:g} W for a busy core (PODJOBS_WATTS_PER_CORE)"]
    if prices.cpu_hour is not None:
        stated.append(f"{prices.cpu_hour:g} {prices.currency} for an hour of a core")
    if prices.gb_hour is not None:
        stated.append(f"{prices.gb_hour:g} {prices.currency} for an hour of 1 GB")
    click.echo(f"At {', '.join(stated)}. Columns with /h are for an hour of media.")
    if not prices.are_stated:
        click.echo(NOT_STATED)
