"""The components `runner-nfs` and `runner-s3`: the adapters serve the runner API, and read results."""

import shutil

import pytest

from support.manifests import FOLDER, build, of_kind, pod_of, workloads


@pytest.fixture(scope="module", params=[("keda-nfs", "nfs"), ("knative-s3", "s3")], ids=["nfs", "s3"])
def overlay(request, tmp_path_factory):
    """An overlay of one's own, with the component beside the checkout's."""
    base, media = request.param
    folder = tmp_path_factory.mktemp("runner") / "knative"
    shutil.copytree(FOLDER, folder)
    own = folder.parent / "own"
    own.mkdir()
    (own / "kustomization.yaml").write_text(
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"
        f"resources: [../knative/overlays/{base}]\ncomponents: [../knative/components/runner-{media}]\n",
        encoding="utf-8",
    )
    return str(own)


def maps_of(overlay):
    return {found["metadata"]["name"]: found["data"] for found in build(overlay) if found["kind"] == "ConfigMap"}


def test_adapter_has_the_port_and_knows_where_the_media_are(overlay):
    (container,) = pod_of(workloads(overlay)["adapter"])["containers"]
    assert {port["name"]: port["containerPort"] for port in container["ports"]} == {"health": 8090, "runner": 8091}
    maps = maps_of(overlay)
    given = {}
    for source in container["envFrom"]:
        given |= maps[source["configMapRef"]["name"]] if "configMapRef" in source else {}
    assert (given["PODJOBS_RUNNER_HOST"], given["PODJOBS_RUNNER_PORT"]) == ("0.0.0.0", "8091")  # noqa: S104
    assert "MEDIA_ROOT" in given
    mounts = {mount["name"]: mount for mount in container["volumeMounts"]}
    if given["MEDIA_URL"] == "file:///media":
        assert mounts["media"] == {"name": "media", "mountPath": "/media", "readOnly": True}
    else:
        assert given["MEDIA_URL"].startswith("s3://")
        assert {"secretRef": {"name": "podjobs-s3", "optional": True}} in container["envFrom"]
        assert of_kind(overlay, "NetworkPolicy")["adapter-to-bucket"]["spec"]["egress"]


def test_service_leads_to_the_adapters_and_they_are_reached_at_that_port_alone(overlay):
    spec = of_kind(overlay, "Service")["runner"]["spec"]
    assert spec["selector"] == {"app.kubernetes.io/name": "adapter"}
    assert spec["ports"] == [{"name": "http", "port": 80, "targetPort": "runner"}]
    policies = of_kind(overlay, "NetworkPolicy")
    assert policies["pod-to-runner"]["spec"]["ingress"] == [{"ports": [{"port": 8091}]}]
    selected = policies["sources-from-pod"]["spec"]["podSelector"]["matchLabels"]
    assert selected == {"app.kubernetes.io/name": "encoding"}


def test_overlay_without_the_component_has_no_such_port():
    (container,) = pod_of(workloads("keda-nfs")["adapter"])["containers"]
    assert [port["containerPort"] for port in container["ports"]] == [8090]
