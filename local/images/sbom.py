"""Bills of materials of images, as CycloneDX documents. Pure.

Source: CycloneDX 1.6, JSON (ECMA-424); Package URL, types `deb` and `pypi`.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote
from uuid import UUID

LICENCE = "LGPL-3.0-or-later"


def bill_of_materials(
    name: str, version: str, inventory: Mapping[str, Any], serial: UUID, at: datetime
) -> dict[str, Any]:
    """Write down what an image contains.

    Args:
        name: of the image.
        version: of the image.
        inventory: what `inventory.py` has found in it.
        serial: of the document: a new one for each.
        at: when it is made; with its time zone.
    """
    system = inventory["system"]
    image = {"type": "container", "bom-ref": name, "name": name, "version": version}
    components = [_system(system)]
    components += [_debian(package, system) for package in inventory["debian"]]
    components += [_python(package) for package in inventory["python"]]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": serial.urn,
        "version": 1,
        "metadata": {
            "timestamp": at.astimezone(UTC).isoformat(timespec="seconds"),
            "component": image | {"licenses": _licences([LICENCE])},
        },
        "components": components,
    }


def _system(system: Mapping[str, str]) -> dict[str, Any]:
    reference = f"{system['id']}-{system['version']}"
    return {"type": "operating-system", "bom-ref": reference, "name": system["name"], "version": system["version"]}


def _debian(package: Mapping[str, Any], system: Mapping[str, str]) -> dict[str, Any]:
    place = f"{system['id']}/{quote(package['name'], safe='')}@{quote(package['version'], safe='')}"
    url = f"pkg:deb/{place}?arch={package['architecture']}&distro={system['id']}-{system['version']}"
    return _library(package, url)


def _python(package: Mapping[str, Any]) -> dict[str, Any]:
    # the type's own spelling: lower case, hyphens
    name = package["name"].lower().replace("_", "-")
    return _library(package, f"pkg:pypi/{quote(name, safe='')}@{quote(package['version'], safe='')}")


def _library(package: Mapping[str, Any], url: str) -> dict[str, Any]:
    component = {"type": "library", "bom-ref": url, "name": package["name"], "version": package["version"], "purl": url}
    return component | ({"licenses": _licences(package["licences"])} if package["licences"] else {})


def _licences(names: Sequence[str]) -> list[dict[str, Any]]:
    """Names as they are written: Debian's are not SPDX's, and a wrong identifier would be worse than a name."""
    return [{"license": {"name": name}} for name in names]
