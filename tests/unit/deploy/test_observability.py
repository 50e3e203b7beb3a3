"""The dashboard, the alert rules and the page name the metrics that there are; rules alert when they should."""

import itertools
import json
import re
import shutil
import subprocess

import pytest
import yaml

from adapter.telemetry.catalogue import METRICS, Kind, metrics_table
from podjobs.contract.workflows import all_functions
from support.processes import REPOSITORY

FOLDER = REPOSITORY / "deploy/observability"
BOARD = json.loads((FOLDER / "grafana-dashboard.json").read_text())
RULES = yaml.safe_load((FOLDER / "alerts.yaml").read_text())
TESTS = yaml.safe_load((FOLDER / "alerts.test.yaml").read_text())
PAGE = (REPOSITORY / "docs/operation.md").read_text()
NAME = re.compile(r"\b(?:podjobs|process)_[a-z0-9_]+\b(?=[\s{\[)/]|$)")
LABELS = re.compile(r"\b((?:podjobs|process)_[a-z0-9_]+)\{([^}]*)\}")
ADDED_BY_PROMETHEUS = {"job", "instance", "le"}
SAMPLES = {sample: one for one in METRICS for sample in one.samples}
PANELS = [panel for panel in BOARD["panels"] if panel["type"] != "row"]
ALERTS = [rule for group in RULES["groups"] for rule in group["rules"]]
IN_BOARD = [target["expr"] for panel in PANELS for target in panel["targets"]]
IN_RULES = [rule["expr"] for rule in ALERTS]
WIDTH = 24


def names(expressions):
    return {name for text in expressions for name in NAME.findall(text)}


def test_names_are_found_at_all():
    # that the tests below can fail
    assert names(["rate(podjobs_jobs_total{x='y'}[5m]) / podjobs_x > 0"]) == {"podjobs_jobs_total", "podjobs_x"}
    assert len(IN_BOARD) > 30 < len(PANELS)


def test_dashboard_shows_every_metric_and_no_other():
    shown = names(IN_BOARD)
    assert shown - SAMPLES.keys() == set()
    assert {SAMPLES[name].name for name in shown} == {one.name for one in METRICS}


def test_rules_name_metrics_that_there_are():
    assert names(IN_RULES) - SAMPLES.keys() == set()
    assert (
        names(series["series"] for test in TESTS["tests"] for series in test["input_series"]) - SAMPLES.keys() == set()
    )


@pytest.mark.parametrize("expression", [*IN_BOARD, *IN_RULES])
def test_expression_names_labels_that_its_metrics_have(expression):
    for name, matchers in LABELS.findall(expression):
        given = set(re.findall(r"(\w+)\s*[=!]", matchers))
        assert given <= set(SAMPLES[name].labels) | ADDED_BY_PROMETHEUS


@pytest.mark.parametrize("expression", [*IN_BOARD, *IN_RULES])
def test_expression_takes_counters_by_their_growth(expression):
    counters = [name for name in names([expression]) if SAMPLES[name].kind in {Kind.COUNTER, Kind.HISTOGRAM}]
    for name in counters:
        assert re.search(rf"(rate|increase)\({name}\b", expression), name


def test_dashboard_has_what_grafana_needs():
    assert (BOARD["uid"], BOARD["schemaVersion"] >= 36) == ("pod-functions", True)
    variables = {one["name"] for one in BOARD["templating"]["list"]}
    assert {name for text in IN_BOARD for name in re.findall(r"\$(\w+)", text)} - {"__rate_interval"} <= variables
    ids = [panel["id"] for panel in BOARD["panels"]]
    assert len(set(ids)) == len(ids)
    for panel in PANELS:
        assert panel["title"]
        assert panel["datasource"]["uid"] == "${datasource}"
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])


def test_panels_do_not_overlap():
    places = [panel["gridPos"] for panel in BOARD["panels"]]
    cells = [
        (x, y)
        for place in places
        for x, y in itertools.product(
            range(place["x"], place["x"] + place["w"]), range(place["y"], place["y"] + place["h"])
        )
    ]
    assert max(x for x, _ in cells) < WIDTH
    assert len(set(cells)) == len(cells)


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_rule_says_what_is_wrong_and_what_to_do(rule):
    said = rule["annotations"]
    assert said["summary"].endswith(".")
    assert said["remedy"].endswith((".", "?"))
    assert rule["labels"]["severity"] in {"critical", "warning", "info"}
    labels = set(re.findall(r"\$labels\.(\w+)", said["summary"] + said["remedy"]))
    used = {SAMPLES[name] for name in names([rule["expr"]])}
    assert labels <= set().union(*(one.labels for one in used)) | {"instance"}


def test_every_rule_is_tried():
    text = (FOLDER / "alerts.test.yaml").read_text()
    tried = set(re.findall(r"Podjobs\w+", text))
    assert {rule["alert"] for rule in ALERTS} == tried


def test_page_has_the_table_of_all_metrics():
    assert metrics_table() in PAGE


def test_page_explains_every_rule():
    assert {rule["alert"] for rule in ALERTS} - set(re.findall(r"Podjobs\w+", PAGE)) == set()


@pytest.fixture
def promtool():
    found = shutil.which("promtool")
    if found is None:
        pytest.skip("promtool is not installed (Debian's package `prometheus` has it)")
    return lambda *arguments: subprocess.run(
        [found, *arguments], cwd=FOLDER, capture_output=True, text=True, check=False, timeout=120
    )


def test_rules_are_valid_for_prometheus(promtool):
    checked = promtool("check", "rules", "--lint=all", "--lint-fatal", "alerts.yaml")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert f"{len(ALERTS)} rules found" in checked.stdout + checked.stderr


def test_rules_alert_when_they_should(promtool):
    tested = promtool("test", "rules", "alerts.test.yaml")
    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_example_of_a_configuration_is_valid(promtool):
    checked = promtool("check", "config", "prometheus.yaml")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_queries_of_the_dashboard_are_valid(promtool, tmp_path):
    texts = [text.replace("$__rate_interval", "1m").replace("$job", ".*") for text in IN_BOARD]
    records = [{"record": f"query_{number}", "expr": text} for number, text in enumerate(texts)]
    rules = tmp_path / "rules.yaml"
    rules.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": records}]}))
    checked = promtool("check", "rules", str(rules))
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_functions_of_the_tests_are_real_ones():
    series = [one["series"] for test in TESTS["tests"] for one in test["input_series"]]
    functions = {name for text in series for name in re.findall(r'function="(\w+)"', text)}
    assert functions <= {function.name for function in all_functions()}
