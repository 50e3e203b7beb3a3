"""The component `monitoring`: Prometheus finds the adapters and may reach them, and spans may leave."""

import shutil

import pytest

from support.manifests import FOLDER, build, of_kind, workloads

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"


@pytest.fixture(scope="module")
def overlay(tmp_path_factory):
    """An overlay with the component, and somewhere to send spans."""
    folder = tmp_path_factory.mktemp("monitoring") / "knative"
    shutil.copytree(FOLDER, folder)
    made = folder / "overlays" / "keda-nfs"
    lines = (made / "kustomization.yaml").read_text(encoding="utf-8")
    (made / "kustomization.yaml").write_text(f"{lines}  - ../../components/monitoring\n", encoding="utf-8")
    (folder / "components/monitoring/traces.env").write_text(f"{ENDPOINT}=http://collector:4318\n", encoding="utf-8")
    return str(made)


def test_adapter_is_found_by_prometheus_at_its_port(overlay):
    adapter = workloads(overlay)["adapter"]["spec"]["template"]
    found = adapter["metadata"]["annotations"]
    (port,) = adapter["spec"]["containers"][0]["ports"]
    assert found == {
        "prometheus.io/scrape": "true",
        "prometheus.io/port": str(port["containerPort"]),
        "prometheus.io/path": "/metrics",
    }
    assert not any("prometheus.io/scrape" in str(one) for name, one in workloads(overlay).items() if name != "adapter")


def test_prometheus_reaches_the_adapters_port_and_nothing_else(overlay):
    policy = of_kind(overlay, "NetworkPolicy")["monitoring-to-adapter"]
    assert policy["metadata"]["namespace"] == "podjobs"
    assert policy["spec"]["podSelector"] == {"matchLabels": {"app.kubernetes.io/name": "adapter"}}
    (rule,) = policy["spec"]["ingress"]
    assert rule["ports"] == [{"port": 8090}]
    assert rule["from"] == [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}]


def test_spans_are_sent_by_adapter_and_functions(overlay):
    maps = {found["metadata"]["name"]: found["data"] for found in build(overlay) if found["kind"] == "ConfigMap"}
    (common,) = [data for name, data in maps.items() if name.startswith("podjobs-common-")]
    assert common[ENDPOINT] == "http://collector:4318"
    assert "MEDIA_ROOT" in common


def test_overlay_without_the_component_is_not_scraped():
    assert "annotations" not in workloads("keda-nfs")["adapter"]["spec"]["template"]["metadata"]
