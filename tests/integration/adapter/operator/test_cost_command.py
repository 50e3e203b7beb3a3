"""The command that says what jobs cost."""

import json

import pytest

from adapter.redis import keys

MEASURED = {"cpu_s": 1800, "gb_s": 7200, "lost_cpu_s": 180, "lost_gb_s": 360, "media_s": 900}


@pytest.fixture
def costly(client, fail_job):
    """Two jobs, of which one was measured."""
    fail_job("job-1")
    client.hset(keys.job("job-1"), mapping=MEASURED)
    fail_job("job-2")


@pytest.mark.usefixtures("costly")
def test_cost_of_one_job_names_what_was_lost_and_what_is_not_stated(command):
    told = command("cost", "job-1")
    assert told.returncode == 0, told.stderr
    assert "used            1,800 s CPU · 7,200 GB·s · 1.75 Wh\n" in told.stdout
    assert "of it, lost     180 s CPU · 360 GB·s · 0.175 Wh, by attempts that failed" in told.stdout
    assert "an hour of it   7,200 s CPU · 28,800 GB·s · 7 Wh (it is 15 min long)" in told.stdout
    assert "set PODJOBS_PRICE_CPU_HOUR and PODJOBS_PRICE_GB_HOUR" in told.stdout
    assert "job-2 has used is not known" in command("cost", "job-2").stdout


@pytest.mark.usefixtures("costly")
def test_cost_of_all_jobs_at_stated_prices(command, environment):
    environment |= {"PODJOBS_WATTS_PER_CORE": "4", "PODJOBS_PRICE_CPU_HOUR": "0.04", "PODJOBS_PRICE_GB_HOUR": "0.005"}
    told = json.loads(command("cost", "--json", "--type", "encoding").stdout)
    assert told["rates"] == {"watts_per_core": 4.0, "price_cpu_hour": 0.04, "price_gb_hour": 0.005, "currency": "EUR"}
    assert told["total"] == told["types"]["encoding"]
    assert (told["total"]["jobs"], told["total"]["unmeasured"]) == (2, 1)
    assert told["total"]["used"] == {"cpu_s": 1800.0, "gb_s": 7200.0, "energy_wh": 2.0, "price": 0.03}
    assert told["total"]["per_media_hour"]["price"] == 0.12
    shown = command("cost")
    assert "1 of 2 jobs is not in it" in shown.stdout
    assert json.loads(command("cost", "--json", "--since", "1h").stdout)["total"]["jobs"] == 0
