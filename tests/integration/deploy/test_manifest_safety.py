"""What pods may do, whom they may reach, which secrets they get, and that a probe never ends a step."""

import pytest
import yaml

from adapter.settings import adapter_settings
from local.environments import names_of
from local.functions import SETTINGS
from local.images.catalogue import IMAGES
from podjobs.contract.workflows import NOTIFICATION, XAPI_FUNCTION
from podjobs.settings import load_settings
from support.manifests import (
    EVERY_COMPONENT,
    FOLDER,
    OVERLAYS,
    build,
    container_of,
    functions,
    is_kind,
    of_kind,
    pod_of,
    settings_of,
    workloads,
)

MADE_UP = ("PODJOBS_FUNCTION_SECRET", "POD_API_TOKEN", "XAPI_LRS_PWD", "EMAIL_HOST_PASSWORD", "PODJOBS_PAGE_TOKEN")
SECRETS = dict.fromkeys(MADE_UP, "made-up-for-this-test")
EACH = [pytest.param(one, marks=() if one in EVERY_COMPONENT else pytest.mark.slow) for one in OVERLAYS]
STUCK_S = 600
"""A server that does not answer a simple question for so long is stuck, and so are its steps."""
MEDIA_OUT = {"nfs": set(), "s3": {"media-to-bucket"}}


def example_secrets():
    text = (FOLDER / "secrets.example.yaml").read_text(encoding="utf-8")
    return {secret["metadata"]["name"]: secret["stringData"] for secret in yaml.safe_load_all(text)}


def secrets_of(workload):
    refs = (source["secretRef"] for source in container_of(workload)["envFrom"] if "secretRef" in source)
    return {name for ref in refs for name in example_secrets()[ref["name"]]}


@pytest.mark.parametrize("overlay", EACH)
def test_pods_are_restricted_and_write_to_nothing_but_their_volumes(overlay):
    namespace = of_kind(overlay, "Namespace")["podjobs"]
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    for name, workload in workloads(overlay).items():
        pod, container = pod_of(workload), container_of(workload)
        rights = pod.get("securityContext", {}) | container["securityContext"]
        assert rights["runAsNonRoot"] is True, name
        assert rights["runAsUser"] > 0, name
        assert rights["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert rights["capabilities"] == {"drop": ["ALL"]}, name
        assert rights["allowPrivilegeEscalation"] is False, name
        assert rights["readOnlyRootFilesystem"] is True, name
        mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
        assert mounts["tmp"] == "/tmp", name  # noqa: S108 - in the container
        assert set(mounts) == {volume["name"] for volume in pod["volumes"]}, name


@pytest.mark.parametrize("overlay", EACH)
def test_pods_get_no_token_and_have_an_account_of_their_own(overlay):
    accounts = of_kind(overlay, "ServiceAccount")
    for name, workload in workloads(overlay).items():
        assert pod_of(workload)["serviceAccountName"] == name
        assert accounts[name]["automountServiceAccountToken"] is False
        assert pod_of(workload)["enableServiceLinks"] is False


@pytest.mark.parametrize("overlay", EACH)
def test_each_program_gets_its_own_secrets_only(overlay):
    found = workloads(overlay)
    assert secrets_of(found["adapter"]) < names_of(adapter_settings())
    assert "ENCODING_TRANSCODING_CELERY_BROKER_URL" in secrets_of(found["adapter"])
    own = {NOTIFICATION.name: {"POD_API_TOKEN"}, XAPI_FUNCTION: {"XAPI_LRS_PWD"}}
    bucket = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} if "s3" in overlay else set()
    for name, workload in functions(overlay).items():
        expected = {"PODJOBS_FUNCTION_SECRET"} | own.get(name, set()) | (bucket if name != XAPI_FUNCTION else set())
        assert secrets_of(workload) == expected


@pytest.mark.parametrize("overlay", EACH)
def test_settings_of_each_program_are_its_own_and_valid(overlay, monkeypatch):
    for name, workload in workloads(overlay).items():
        kind = adapter_settings() if name == "adapter" else SETTINGS[name]
        given = settings_of(overlay, workload)
        assert set(given) <= names_of(kind)
        with monkeypatch.context() as environment:
            for setting in (*given, *secrets_of(workload)):
                environment.setenv(setting, given.get(setting) or SECRETS.get(setting, "redis://redis/1"))
            load_settings(kind)


@pytest.mark.parametrize("overlay", EACH)
def test_maps_of_settings_that_containers_name_are_there(overlay):
    """Their names end with a hash: with a changed setting, pods are started anew."""
    maps = of_kind(overlay, "ConfigMap")
    named = {
        source["configMapRef"]["name"]
        for workload in workloads(overlay).values()
        for source in container_of(workload)["envFrom"]
        if "configMapRef" in source
    }
    assert named == set(maps)


@pytest.mark.parametrize("overlay", EACH)
def test_images_are_those_that_are_built(overlay):
    for name, workload in workloads(overlay).items():
        assert container_of(workload)["image"] == f"pod-functions/{name}"
        assert name in IMAGES


@pytest.mark.parametrize("overlay", EACH)
def test_probe_of_a_function_ends_no_step_unless_it_is_stuck(overlay):
    for name, workload in functions(overlay).items():
        container = container_of(workload)
        liveness = container["livenessProbe"]
        assert liveness["periodSeconds"] * liveness["failureThreshold"] >= STUCK_S, name
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            assert container[probe]["httpGet"] == {"path": "/", "port": 8080}, name


@pytest.mark.parametrize("overlay", EACH)
def test_adapters_are_two_that_a_node_does_not_take_with_it(overlay):
    adapter = workloads(overlay)["adapter"]
    assert adapter["spec"]["replicas"] == 2
    spread = pod_of(adapter)["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
    assert "kubernetes.io/hostname" in {term["podAffinityTerm"]["topologyKey"] for term in spread}
    budget = of_kind(overlay, "PodDisruptionBudget")["adapter"]["spec"]
    assert budget["maxUnavailable"] == 1
    assert budget["selector"]["matchLabels"].items() <= adapter["spec"]["template"]["metadata"]["labels"].items()
    container = container_of(adapter)
    pages = {probe: container[probe]["httpGet"]["path"] for probe in ("livenessProbe", "readinessProbe")}
    assert pages == {"livenessProbe": "/healthz", "readinessProbe": "/readyz"}


def outgoing(overlay, labels):
    """The policies that let a pod with these labels out."""
    return {
        name
        for name, policy in of_kind(overlay, "NetworkPolicy").items()
        if policy["spec"]["podSelector"].get("matchLabels", {}).items() <= labels.items()
        and policy["spec"].get("egress")
    }


@pytest.mark.parametrize("overlay", EACH)
def test_pods_reach_only_what_they_need(overlay):
    default = of_kind(overlay, "NetworkPolicy")["nothing-but-names"]["spec"]
    assert default["podSelector"] == {}
    assert set(default["policyTypes"]) == {"Ingress", "Egress"}
    assert "ingress" not in default
    assert {port["port"] for rule in default["egress"] for port in rule["ports"]} == {53, 5353}
    media = MEDIA_OUT["s3" if "s3" in overlay else "nfs"]
    way = {"adapter-to-knative"} if overlay.startswith("knative") else {"adapter-may-reach-functions"}
    expected = {
        "adapter": {"adapter-to-redis", "adapter-to-mail"} | way,
        "encoding": media,
        "transcription": media,
        "notification": {"notification-to-pod"} | media,
        "xapi": {"xapi-to-lrs"},
    }
    for name, workload in workloads(overlay).items():
        labels = workload["spec"]["template"]["metadata"]["labels"]
        assert outgoing(overlay, labels) == {"nothing-but-names"} | expected[name], name


@pytest.mark.parametrize("overlay", EACH)
def test_functions_let_in_nobody_but_the_adapter_or_knative(overlay):
    policies = of_kind(overlay, "NetworkPolicy").values()
    (ingress,) = [policy["spec"] for policy in policies if policy["spec"].get("ingress")]
    assert ingress["podSelector"]["matchLabels"] == {"podjobs/role": "function"}
    (rule,) = ingress["ingress"]
    (source,) = rule["from"]
    if overlay.startswith("knative"):
        assert source == {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "knative-serving"}}}
        services = functions(overlay).values()
        visible = {service["metadata"]["labels"]["networking.knative.dev/visibility"] for service in services}
        assert visible == {"cluster-local"}
    else:
        assert source == {"podSelector": {"matchLabels": {"app.kubernetes.io/name": "adapter"}}}


def test_overlays_contain_no_secrets():
    assert [m for overlay in OVERLAYS for m in build(overlay) if is_kind(m, "Secret")] == []


def test_knative_and_keda_give_their_pods_the_same():
    for storage in ("nfs", "s3", "nfs-gpu", "s3-gpu"):
        by_knative, by_keda = functions(f"knative-{storage}"), functions(f"keda-{storage}")
        for name, service in by_knative.items():
            other = container_of(by_keda[name])
            # Knative's proxy does it itself
            del other["lifecycle"]
            assert container_of(service) == other
            assert pod_of(service)["volumes"] == pod_of(by_keda[name])["volumes"]
            grace_s = pod_of(by_keda[name])["terminationGracePeriodSeconds"]
            assert pod_of(service)["timeoutSeconds"] == grace_s
