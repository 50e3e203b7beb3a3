"""How images are built, and what is written down about them."""

from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from local.images.__main__ import read_command_line
from local.images.builders import Builder, BuilderError, Recipe, build_argv, choose_builder, python_argv
from local.images.catalogue import IMAGES, REPOSITORY, dockerfile, public_url
from local.images.inventory import debian_licences
from local.images.sbom import bill_of_materials
from podjobs.contract.workflows import all_functions

RECIPE = Recipe("1.2.3", "abc", "https://example.org/x", "debian:trixie-slim", "registry.example.org/pod")
INVENTORY = {
    "system": {"id": "debian", "version": "12", "name": "Debian GNU/Linux"},
    "debian": [{"name": "libstdc++6", "version": "1:2+b1", "architecture": "amd64", "licences": ["GPL-3", "Expat"]}],
    "python": [{"name": "Typing_Extensions", "version": "4.1", "licences": []}],
}


def test_images_are_those_of_the_functions_and_the_adapter():
    assert sorted(IMAGES) == sorted(("adapter", *(one.name for one in all_functions())))
    assert all((REPOSITORY / dockerfile(name)).is_file() for name in IMAGES)


def test_build_argv_docker_is_what_a_person_would_type():
    assert build_argv(Builder.DOCKER, "xapi", RECIPE) == [
        *("docker", "build", "--file", "functions/xapi/Dockerfile"),
        *("--build-arg", "BASE_IMAGE=debian:trixie-slim"),
        *("--build-arg", "VERSION=1.2.3", "--build-arg", "REVISION=abc"),
        *("--build-arg", "SOURCE=https://example.org/x"),
        *("--tag", "registry.example.org/pod/xapi:1.2.3", "--tag", "registry.example.org/pod/xapi:latest", "."),
    ]  # fmt: skip


@pytest.mark.parametrize("builder", [Builder.PODMAN, Builder.BUILDAH])
def test_build_argv_of_the_others_keeps_health_checks_and_layers(builder):
    argv = build_argv(builder, "adapter", RECIPE)
    assert argv[:7] == [builder, "build", "--file", "adapter/Dockerfile", "--format", "docker", "--layers"]


@pytest.mark.parametrize("builder", Builder)
def test_build_argv_has_secrets_by_the_names_that_dockerfiles_know(builder):
    recipe = Recipe("1", "2", pip_config=Path("/x/pip.ini"), authorities=Path("/x/ca.pem"), further=("--no-cache",))
    argv = build_argv(builder, "adapter", recipe)
    secrets = [argv[index + 1] for index, word in enumerate(argv) if word == "--secret"]
    assert secrets == ["id=pip.conf,src=/x/pip.ini", "id=ca.crt,src=/x/ca.pem"]
    assert argv[-2:] == ["--no-cache", "."]
    text = (REPOSITORY / "adapter" / "Dockerfile").read_text()
    assert all(f"type=secret,id={secret.partition(',')[0].removeprefix('id=')}" in text for secret in secrets)


@pytest.mark.parametrize(
    ("usable", "wanted", "chosen"),
    [
        ({"docker", "podman", "buildah"}, None, "docker"),
        ({"podman", "buildah"}, None, "podman"),
        ({"buildah"}, None, "buildah"),
        ({"docker", "buildah"}, "buildah", "buildah"),
    ],
)
def test_choose_builder_takes_the_wanted_one_or_the_first(usable, wanted, chosen):
    assert choose_builder(wanted, lambda builder: builder in usable) == chosen


@pytest.mark.parametrize(("wanted", "said"), [(None, "apt-get install buildah"), ("podman", "`podman version` fails")])
def test_choose_builder_without_one_says_what_to_do(wanted, said):
    with pytest.raises(BuilderError, match=said):
        choose_builder(wanted, lambda _: False)


def test_python_argv_runs_a_script_from_stdin_without_a_network():
    assert python_argv(Builder.DOCKER, "x/y:1") == [
        "docker", "run", "--rm", "--interactive", "--network", "none", "--entrypoint", "python", "x/y:1", "-",
    ]  # fmt: skip
    assert python_argv(Builder.BUILDAH, "container") == ["buildah", "run", "container", "--", "python", "-"]


def test_command_line_gives_what_follows_two_hyphens_to_the_builder():
    wanted = read_command_line(["xapi", "--sbom", "--", "--network", "host"])
    assert (wanted.names, wanted.sbom, wanted.further) == (["xapi"], True, ["--network", "host"])


@pytest.mark.parametrize(
    ("arguments", "said"), [(["studio"], "There is no image studio"), (["--ca", "/nowhere"], "'/nowhere' is not there")]
)
def test_command_line_that_is_wrong_is_refused_with_the_reason(arguments, said, capsys):
    with pytest.raises(SystemExit):
        read_command_line(arguments)
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://example.org/pod-functions.git", "https://example.org/pod-functions.git"),
        ("https://me:token@example.org:8443/x?key=1", "https://example.org:8443/x"),
        ("git@example.org:x.git", "unknown"),
        ("/srv/git/x", "unknown"),
    ],
)
def test_public_url_has_no_login(url, shown):
    assert public_url(url) == shown


def test_bill_of_materials_names_each_package_by_its_url():
    at = datetime(2026, 11, 26, 12, tzinfo=UTC)
    bill = bill_of_materials("pod-functions/xapi", "1.2.3", INVENTORY, UUID(int=7), at)
    assert bill["serialNumber"] == "urn:uuid:00000000-0000-0000-0000-000000000007"
    assert bill["metadata"]["timestamp"] == "2026-11-26T12:00:00+00:00"
    assert bill["metadata"]["component"]["version"] == "1.2.3"
    system, debian, python = bill["components"]
    assert (system["type"], system["name"], system["version"]) == ("operating-system", "Debian GNU/Linux", "12")
    assert debian["purl"] == "pkg:deb/debian/libstdc%2B%2B6@1%3A2%2Bb1?arch=amd64&distro=debian-12"
    assert debian["licenses"] == [{"license": {"name": "GPL-3"}}, {"license": {"name": "Expat"}}]
    assert python["purl"] == "pkg:pypi/typing-extensions@4.1"
    assert "licenses" not in python


def test_debian_licences_are_the_names_in_the_copyright_file(tmp_path):
    file = tmp_path / "copyright"
    file.write_text("Files: *\nLicense: GPL-2+\n text\n\nFiles: a\nLicense: Expat\n\nLicense: GPL-2+\n On Debian …\n")
    assert debian_licences(file) == ["GPL-2+", "Expat"]
    assert debian_licences(tmp_path / "absent") == []
