"""The manifests of every overlay beside the schemas: of Kubernetes, Knative and KEDA."""

import copy
import json
from functools import cache

import jsonschema
import kubernetes_validate
import pytest
import yaml

from support.manifests import EVERY_COMPONENT, FOLDER, OVERLAYS, build, is_kind
from support.processes import REPOSITORY

SCHEMAS = REPOSITORY / "tests" / "data" / "schemas"
OLDEST, NEWEST = "1.29", "1.37"
"""The oldest version of Kubernetes for which these are meant, and the newest whose schemas we have."""
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
    crd = yaml.load((SCHEMAS / f"{name}.crd.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    (version,) = crd["spec"]["versions"]
    return jsonschema.Draft202012Validator(strict(version["schema"]["openAPIV3Schema"]))


VALIDATORS = {kind: read_schema(name) for kind, name in CUSTOM.items()}


@cache
def faults_in(text, version):
    """The faults of a manifest, which is JSON here: most are the same in all overlays, and a look takes a while."""
    manifest = json.loads(text)
    kind = next((kind for kind in CUSTOM if is_kind(manifest, kind)), None)
    if kind:
        return [
            f"{'/'.join(map(str, error.path))}: {error.message}" for error in VALIDATORS[kind].iter_errors(manifest)
        ]
    try:
        kubernetes_validate.validate(manifest, version, strict=True)
    except kubernetes_validate.ValidationError as error:
        return [str(error)]
    return []


def faults_of(manifest, version=NEWEST):
    return faults_in(json.dumps(manifest, sort_keys=True), version)


@pytest.mark.parametrize(
    ("version", "overlays"),
    [
        (NEWEST, EVERY_COMPONENT),
        pytest.param(NEWEST, OVERLAYS, marks=pytest.mark.slow),
        pytest.param(OLDEST, OVERLAYS, marks=pytest.mark.slow),
    ],
)
def test_manifests_of_overlays_match_their_schemas(version, overlays):
    for overlay in overlays:
        checked = [manifest for manifest in build(overlay) if manifest["kind"] not in UNCHECKED]
        found = {f"{m['kind']} {m['metadata']['name']}": faults for m in checked if (faults := faults_of(m, version))}
        assert (overlay, len(checked) > 20, found) == (overlay, True, {})


def test_manifests_of_the_example_of_secrets_match_their_schemas():
    text = (FOLDER / "secrets.example.yaml").read_text(encoding="utf-8")
    assert [faults_of(manifest) for manifest in yaml.safe_load_all(text)] == [[]] * 7


@pytest.mark.parametrize("overlay", ["knative-nfs", "keda-nfs"])
def test_schemas_refuse_a_field_that_is_not_known(overlay):
    """So that a typing error is found here, and not at two in the morning."""
    for manifest in build(overlay):
        if is_kind(manifest, "KnativeService", "ScaledObject", "Deployment"):
            mistaken = copy.deepcopy(manifest)
            mistaken["spec"]["minReplicas"] = 0
            assert len(faults_of(mistaken)) > 0
