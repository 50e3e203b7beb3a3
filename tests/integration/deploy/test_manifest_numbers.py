"""The manifests' numbers agree with one another, with the settings, and with the time limits of steps."""

import shutil

import pytest

from adapter.redis import keys
from podjobs.contract.requests import DEFAULT_TIMEOUT_S
from podjobs.contract.statements import BATCH_TIMEOUT_S, XAPI_FUNCTION
from podjobs.contract.workflows import NOTIFICATION_TIMEOUT_S, WORKFLOWS, all_functions
from podjobs.encoding import steps as encoding_steps
from podjobs.encoding.settings import EncodingSettings
from podjobs.transcription.settings import TranscriptionSettings
from podjobs.transcription.steps import SLOWEST as SLOWEST_TRANSCRIPTION
from support.manifests import (
    EVERY_COMPONENT,
    FOLDER,
    OVERLAYS,
    bytes_of,
    container_of,
    functions,
    of_kind,
    pod_of,
    settings_of,
    workloads,
)

LONG_VIDEO_S = 4 * 3600
"""Up to this length Knative cuts no step shorter than its own limit; a longer one's sound gets less than its limit."""
FULL_HD_60_PX = 60 * 60 * (640 * 360 + 1280 * 720 + 1920 * 1080)
"""Of a chunk of 60 s with 60 frames a second, in all default renditions."""
BATCH_STATEMENTS = 500
EACH = [pytest.param(one, marks=() if one in EVERY_COMPONENT else pytest.mark.slow) for one in OVERLAYS]
KNATIVE = [one for one in EACH if one.values[0].startswith("knative")]
KEDA = [one for one in EACH if one.values[0].startswith("keda")]


def longest_steps_s():
    """The longest time limit of a step, by function."""
    work = {"audio": LONG_VIDEO_S, "package": LONG_VIDEO_S, "chunk": FULL_HD_60_PX}
    part_s = TranscriptionSettings.model_fields["podjobs_part_max_s"].default
    return {
        "encoding": max(encoding_steps.specify(action, units).timeout_s for action, units in work.items()),
        "transcription": max(
            DEFAULT_TIMEOUT_S, part_s * SLOWEST_TRANSCRIPTION, WORKFLOWS["transcription"].plan_timeout_s
        ),
        "notification": NOTIFICATION_TIMEOUT_S,
        "xapi": BATCH_TIMEOUT_S,
    }


def slots_of(overlay, name, workload):
    return int(settings_of(overlay, workload)[f"PODJOBS_{name.upper()}_SLOTS"])


def most_pods(overlay, name):
    scaled = of_kind(overlay, "ScaledObject")
    if scaled:
        return scaled[name]["spec"]["maxReplicaCount"]
    annotations = functions(overlay)[name]["spec"]["template"]["metadata"]["annotations"]
    return int(annotations["autoscaling.knative.dev/max-scale"])


@pytest.mark.parametrize("overlay", EACH)
def test_adapters_have_in_flight_what_all_pods_of_a_function_can_take(overlay):
    """Each adapter has a limit of its own, so the limits of all of them add up."""
    adapter = workloads(overlay)["adapter"]
    settings = settings_of(overlay, adapter)
    found = functions(overlay)
    assert set(found) == {function.name for function in all_functions()}
    slots = {name: most_pods(overlay, name) * slots_of(overlay, name, workload) for name, workload in found.items()}
    sent = {name: adapter["spec"]["replicas"] * int(settings[f"PODJOBS_CONCURRENCY_{name.upper()}"]) for name in found}
    assert sent == slots


@pytest.mark.parametrize("overlay", KNATIVE)
def test_knative_sends_a_pod_as_many_steps_as_it_has_slots_and_scales_on_that(overlay):
    for name, service in functions(overlay).items():
        assert pod_of(service)["containerConcurrency"] == slots_of(overlay, name, service)
        annotations = service["spec"]["template"]["metadata"]["annotations"]
        assert annotations["autoscaling.knative.dev/min-scale"] == "0"
        assert annotations["autoscaling.knative.dev/target-utilization-percentage"] == "100"


@pytest.mark.parametrize("overlay", KEDA)
def test_keda_counts_the_steps_that_a_pod_has_slots_for(overlay):
    scaled = of_kind(overlay, "ScaledObject")
    for name, workload in functions(overlay).items():
        spec = scaled[name]["spec"]
        slots = slots_of(overlay, name, workload)
        entries = slots * BATCH_STATEMENTS if name == XAPI_FUNCTION else slots
        woken, kept = (trigger["metadata"] for trigger in spec["triggers"])
        assert (woken["lagCount"], kept["pendingEntriesCount"]) == (str(entries), str(entries))
        assert {trigger["consumerGroup"] for trigger in (woken, kept)} == {keys.GROUP}
        stream = keys.STATEMENTS if name == XAPI_FUNCTION else keys.steps(name)
        assert {trigger["stream"] for trigger in (woken, kept)} == {stream}
        assert spec["minReplicaCount"] == 0
        assert spec["scaleTargetRef"]["name"] == name
        assert "replicas" not in workload["spec"]


@pytest.mark.parametrize("overlay", EACH)
def test_pods_have_the_time_that_their_longest_step_may_take(overlay):
    margin_s = float(settings_of(overlay, workloads(overlay)["adapter"])["PODJOBS_TIMEOUT_MARGIN_S"])
    for name, limit_s in longest_steps_s().items():
        pod = pod_of(functions(overlay)[name])
        given_s = pod.get("timeoutSeconds") or pod["terminationGracePeriodSeconds"]
        assert given_s >= limit_s + margin_s, name
        assert pod.get("responseStartTimeoutSeconds", given_s) == given_s, name


@pytest.mark.parametrize("overlay", EACH)
def test_adapter_has_more_time_to_stop_than_it_takes(overlay):
    adapter = workloads(overlay)["adapter"]
    grace_s = float(settings_of(overlay, adapter)["PODJOBS_GRACE_S"])
    assert pod_of(adapter)["terminationGracePeriodSeconds"] > grace_s + 10


@pytest.mark.parametrize("overlay", EACH)
def test_scratch_refuses_a_step_before_kubernetes_evicts_the_pod(overlay):
    for name, workload in workloads(overlay).items():
        volumes = {v["name"]: v["emptyDir"] for v in pod_of(workload)["volumes"] if "emptyDir" in v}
        sizes = {volume: bytes_of(empty["sizeLimit"]) for volume, empty in volumes.items()}
        resources = container_of(workload)["resources"]
        assert sum(sizes.values()) < bytes_of(resources["limits"]["ephemeral-storage"]), name
        settings = settings_of(overlay, workload)
        if "PODJOBS_SCRATCH_MB" in settings:
            assert int(settings["PODJOBS_SCRATCH_MB"]) * 2**20 < sizes["scratch"], name


@pytest.mark.parametrize("overlay", EACH)
def test_every_container_says_what_it_needs_and_what_it_may_have(overlay):
    for name, workload in workloads(overlay).items():
        resources = container_of(workload)["resources"]
        assert set(resources["requests"]) == {"cpu", "memory", "ephemeral-storage"}, name
        assert set(resources["limits"]) >= {"cpu", "memory", "ephemeral-storage"}, name
        # an image's own files are not in it: what Knative gives by default, 200 MB, would kill any of them
        assert bytes_of(resources["limits"]["memory"]) >= 512 * 2**20, name


@pytest.mark.parametrize("overlay", EACH)
def test_gpu_is_one_for_each_pod_with_one_slot(overlay):
    workload = functions(overlay)["transcription"]
    gpus = container_of(workload)["resources"]["limits"].get("nvidia.com/gpu")
    device = settings_of(overlay, workload).get("PODJOBS_WHISPER_DEVICE")
    assert (gpus, device) == (("1", "cuda") if overlay.endswith("gpu") else (None, None))
    assert slots_of(overlay, "transcription", workload) == (1 if gpus else 2)


@pytest.mark.parametrize("way", ["keda", pytest.param("knative", marks=pytest.mark.slow)])
@pytest.mark.parametrize("left_out", ["transcription", "xapi"])
def test_function_that_is_left_out_has_no_pods_and_its_queue_is_left_alone(tmp_path, way, left_out):
    folder = tmp_path / "knative"
    shutil.copytree(FOLDER, folder)
    overlay = folder / "overlays" / f"{way}-nfs"
    lines = (overlay / "kustomization.yaml").read_text(encoding="utf-8")
    (overlay / "kustomization.yaml").write_text(f"{lines}  - ../../components/without-{left_out}\n", encoding="utf-8")
    assert left_out not in workloads(str(overlay))
    assert len(workloads(str(overlay))) == 4
    assert (
        settings_of(str(overlay), workloads(str(overlay))["adapter"])[f"PODJOBS_FUNCTION_URL_{left_out.upper()}"] == ""
    )
    assert left_out not in of_kind(str(overlay), "ScaledObject", "Service")


@pytest.mark.parametrize("overlay", EACH)
def test_encoding_uses_one_thread_for_each_slot(overlay):
    """Processes count the processors of their node, which may be many more than a pod may use."""
    assert EncodingSettings.model_fields["ffmpeg_nb_threads"].default == 0
    assert settings_of(overlay, functions(overlay)["encoding"])["FFMPEG_NB_THREADS"] == "1"
