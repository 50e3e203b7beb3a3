"""docs/kubernetes.md: the overlays that it shows are built, and do what it says."""

import re
import shutil

import click
import pytest

from adapter.__main__ import adapter as adapter_command
from support.manifests import FOLDER, container_of, of_kind, settings_of, workloads
from support.pages import shell_commands
from support.processes import REPOSITORY

PAGE = REPOSITORY / "docs" / "kubernetes.md"


@pytest.fixture
def shown():
    """The overlay, and what is added for 32 pods."""
    return re.findall(r"^```yaml\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


@pytest.fixture
def cluster(tmp_path):
    """The folder of the overlay, beside a checkout."""
    shutil.copytree(FOLDER, tmp_path / "pod-functions" / "knative")
    folder = tmp_path / "my-cluster"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("way", ["knative", "keda"])
def test_overlay_of_the_page_has_its_images_settings_share_and_user(shown, cluster, way):
    text = shown[0].replace("knative-nfs", f"{way}-nfs")
    (cluster / "kustomization.yaml").write_text(text, encoding="utf-8")
    found = workloads(str(cluster))
    assert set(found) == {"adapter", "encoding", "notification"}
    for name, workload in found.items():
        container = container_of(workload)
        assert container["image"] == f"registry.example.org/pod/{name}:0.1.0"
        rights = container["securityContext"]
        assert name == "adapter" or (rights["runAsUser"], rights["runAsGroup"]) == (1000, 33)
    # found by the maps' names with their hashes: a changed setting makes new pods
    assert settings_of(str(cluster), found["notification"])["POD_API_URL"] == "https://pod.example.org/rest"
    assert settings_of(str(cluster), found["encoding"])["MEDIA_URL"] == "file:///media"
    volume = of_kind(str(cluster), "PersistentVolume")["podjobs-media"]
    assert volume["spec"]["nfs"] == {"server": "nfs.example.org", "path": "/pod-media"}


def test_addition_of_the_page_makes_32_pods_and_as_many_steps_in_flight(shown, cluster):
    addition = shown[1].replace("configMapGenerator:\n", "").partition("patches:\n")
    text = shown[0].replace("configMapGenerator:\n", f"configMapGenerator:\n{addition[0]}") + addition[2]
    (cluster / "kustomization.yaml").write_text(text, encoding="utf-8")
    found = workloads(str(cluster))
    annotations = found["encoding"]["spec"]["template"]["metadata"]["annotations"]
    slots = found["encoding"]["spec"]["template"]["spec"]["containerConcurrency"]
    limit = int(settings_of(str(cluster), found["adapter"])["PODJOBS_CONCURRENCY_ENCODING"])
    assert int(annotations["autoscaling.knative.dev/max-scale"]) * slots == found["adapter"]["spec"]["replicas"] * limit


def test_commands_of_the_adapter_on_the_page_exist():
    used = {found[1] for line in shell_commands(PAGE) if (found := re.search(r"-m adapter (\w+)", line))}
    assert used == {"check", "jobs"}
    assert used <= set(adapter_command.list_commands(click.Context(adapter_command)))
