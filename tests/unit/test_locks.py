"""What images install: each deployable's lock fits its requirements, and contains what its code imports."""

import ast
import functools
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from support.deployables import DEPLOYABLES, FUNCTIONS
from support.processes import REPOSITORY

LIBRARY = REPOSITORY / "layers/podjobs/python"
OWN = {"adapter": REPOSITORY, "podjobs": LIBRARY}
"""Our packages, and where they are."""
HASH = re.compile(r" --hash=sha256:[0-9a-f]{64}")
each_deployable = pytest.mark.parametrize("deployable", DEPLOYABLES, ids=lambda deployable: deployable.name)


def locked(deployable):
    """The requirement of every package in a lock; each is one version."""
    found = [Requirement(HASH.sub("", line)) for line in deployable.lines("requirements.lock")]
    return {canonicalize_name(requirement.name): requirement for requirement in found}


def version(requirement):
    (specifier,) = requirement.specifier
    assert specifier.operator == "=="
    return specifier.version


@each_deployable
def test_lock_has_a_version_that_each_requirement_allows(deployable):
    lock = locked(deployable)
    for line in deployable.lines("requirements.txt"):
        wanted = Requirement(line)
        name = canonicalize_name(wanted.name)
        assert name in lock, f"{name} is not locked. Run scripts/lock."
        assert wanted.specifier.contains(version(lock[name])), f"{name} is locked as another version. Run scripts/lock."


@each_deployable
def test_lock_pins_every_line_by_hashes_and_names_no_server(deployable):
    for line in deployable.lines("requirements.lock"):
        assert re.fullmatch(r"[a-z0-9.-]+==\S+( ; .*?)?( +--hash=sha256:[0-9a-f]{64})+", line), line[:80]


def test_locks_have_one_version_of_each_package():
    versions = {}
    for deployable in DEPLOYABLES:
        for name, requirement in locked(deployable).items():
            versions.setdefault(name, set()).add(version(requirement))
    assert {name: found for name, found in versions.items() if len(found) > 1} == {}


@each_deployable
def test_requirements_of_a_deployable_are_among_those_of_the_whole_stack(deployable):
    stack = {Requirement(line).name: Requirement(line) for line in _stack_requirements()}
    for line in deployable.lines("requirements.txt"):
        wanted = Requirement(line)
        if wanted.name != "awslambdaric":  # only containers on Lambda
            assert wanted.specifier == stack[wanted.name].specifier, wanted.name


def _stack_requirements():
    # images contain what is optional elsewhere
    lists = [REPOSITORY / name for name in ("requirements.txt", "requirements-otel.txt")]
    lines = [line for file in lists for line in file.read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


@each_deployable
def test_lock_contains_whatever_the_code_imports(deployable):
    lock = locked(deployable)
    distributions = packages_distributions()
    for package, importer in sorted(third_party_imports(deployable.name).items()):
        names = {canonicalize_name(name) for name in distributions[package]}
        assert names & lock.keys(), f"{importer} imports {package}, but {deployable.name} does not require {names}."


def third_party_imports(name):
    """The packages that a deployable may import at any time, each with one of the modules that import it."""
    if name in FUNCTIONS:
        # the transports and the storages are chosen at run time
        begin = [REPOSITORY / "functions" / name / "main.py", *(LIBRARY / "podjobs/entry").rglob("*.py")]
    else:
        begin = [*(REPOSITORY / name).rglob("*.py")]
    found, seen, left = {}, set(), begin
    while left:
        path = left.pop()
        if path in seen:
            continue
        seen.add(path)
        for module in imported_modules(path):
            package = module.partition(".")[0]
            if package in OWN:
                left.extend(own_files(module))
            elif package not in sys.stdlib_module_names:
                found[package] = path.relative_to(REPOSITORY)
    return found


@functools.cache
def imported_modules(path):
    """What a file imports, wherever in it; of `from a import b`, both `a` and `a.b`, which may be modules."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.module
            names.update([node.module, *(f"{node.module}.{alias.name}" for alias in node.names)])
    return names


def own_files(module):
    """The file of one of our modules, with those of the packages around it; none if it is no module."""
    parts = module.split(".")
    folders = [OWN[parts[0]].joinpath(*parts[:length]) for length in range(1, len(parts) + 1)]
    candidates = [path for folder in folders for path in (folder / "__init__.py", folder.with_suffix(".py"))]
    return [path for path in candidates if path.is_file()]


def test_third_party_imports_reach_libraries_that_are_loaded_late():
    found = third_party_imports("encoding")
    assert found["boto3"].is_relative_to(Path("layers/podjobs/python/podjobs/backends/s3"))
    assert "flask" in found
    assert "numpy" not in found
