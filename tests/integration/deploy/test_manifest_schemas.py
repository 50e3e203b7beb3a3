"""The manifests of every overlay beside the schemas: of Kubernetes, Knative and KEDA."""

import copy

import jsonschema
import kubernetes_validate
import pytest
import yaml

from support.manifests import FOLDER, OVERLAYS, build, is_kind
from support.processes import REPOSITORY

SCHEMAS = REPOSITORY / "tests" / "data" / "schemas"
KUBERNETES = ("1.29", "1.37")
"""The oldest version for which these are meant, and the newest whose schemas we have."""
CUSTOM = {"KnativeService": "knative-serving-service", "ScaledObject": "keda-scaledobject"}
UNCHECKED = {"TriggerAuthentication"}
"""Kinds whose schema we do not have."""


def strict(schema):
    """A schema that refuses fields it does not know: Kubernetes would drop them without a word."""
    if isinstance(schema, list):
        return [strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: strict(part) for name, part in schema.items()}
    is_open = schema.get("x-kubernetes-preserve-unknown-fields") or "additionalProperties" in schema
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object" and not is_open:
        made["additionalProperties"] = False
    return made


def read_schema(name):
    crd = yaml.safe_load((SCHEMAS / f"{name}.crd.yaml").read_text(encoding="utf-8"))
    (version,) = crd["spec"]["versions"]
    return jsonschema.Draft202012Validator(strict(version["schema"]["openAPIV3Schema"]))


VALIDATORS = {kind: read_schema(name) for kind, name in CUSTOM.items()}


def faults_of(manifest):
    kind = next((kind for kind in CUSTOM if is_kind(manifest, kind)), None)
    if kind:
        return [
            f"{'/'.join(map(str, error.path))}: {error.message}" for error in VALIDATORS[kind].iter_errors(manifest)
        ]
    faults = []
    for version in KUBERNETES:
        try:
            kubernetes_validate.validate(manifest, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            faults.append(f"{version}: {error}")
    return faults


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_manifests_of_an_overlay_match_their_schemas(overlay):
    checked = [manifest for manifest in build(overlay) if manifest["kind"] not in UNCHECKED]
    assert len(checked) > 20
    assert {f"{m['kind']} {m['metadata']['name']}": faults for m in checked if (faults := faults_of(m))} == {}


def test_manifests_of_the_example_of_secrets_match_their_schemas():
    text = (FOLDER / "secrets.example.yaml").read_text(encoding="utf-8")
    assert [faults_of(manifest) for manifest in yaml.safe_load_all(text)] == [[]] * 6


@pytest.mark.parametrize("overlay", ["knative-nfs", "keda-nfs"])
def test_schemas_refuse_a_field_that_is_not_known(overlay):
    """So that a typing error is found here, and not at two in the morning."""
    for manifest in build(overlay):
        if is_kind(manifest, "KnativeService", "ScaledObject", "Deployment"):
            mistaken = copy.deepcopy(manifest)
            mistaken["spec"]["minReplicas"] = 0
            assert len(faults_of(mistaken)) > 0
