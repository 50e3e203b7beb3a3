"""CloudFormation's templates, as far as their meaning can be told without AWS: conditions, references, values.

Source: AWS CloudFormation User Guide, «Intrinsic function reference», «Pseudo parameters reference».
"""

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

Parameters = Mapping[str, str]
NO_VALUE = object()
"""What `AWS::NoValue` becomes: the property is not there."""
GIVEN = "given"
"""Stands for any text where a condition asks only whether there is one."""
_PLACEHOLDER = re.compile(r"\$\{([A-Za-z0-9.:]+)\}")
_ALIAS = ".Alias"
"""What SAM makes of a function with AutoPublishAlias."""


_Loader: Any = type("_Loader", (yaml.SafeLoader,), {})
"""Reads short forms as CloudFormation does: `!Ref x` is `{Ref: x}`, `!GetAtt a.b` is `{Fn::GetAtt: [a, b]}`."""


def _intrinsic(loader: Any, suffix: str, node: Any) -> dict[str, Any]:
    name = suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}"
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        if suffix == "GetAtt":
            value = str(value).split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    return {name: value}


_Loader.add_multi_constructor("!", _intrinsic)


@dataclass(frozen=True)
class Template:
    """One template."""

    path: Path
    content: dict[str, Any]

    @classmethod
    def read(cls, path: Path) -> "Template":
        """Read a file."""
        content: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506 - it is a SafeLoader
        return cls(path, content)

    def section(self, name: str) -> dict[str, Any]:
        """One of its sections; empty if it has none."""
        found: dict[str, Any] = self.content.get(name, {})
        return found

    def defaults(self) -> dict[str, str]:
        """The defaults of its parameters; without one, the first allowed value, or any text."""
        return {
            name: str(about.get("Default", about.get("AllowedValues", [GIVEN])[0]))
            for name, about in self.section("Parameters").items()
        }

    def combinations(self) -> Iterator[Parameters]:
        """All combinations of parameters that its conditions can tell apart."""
        asked = sorted(set(references(self.section("Conditions"), keys=("Ref",))))
        choices = [self._choices(name) for name in asked]
        for chosen in itertools.product(*choices):
            yield self.defaults() | dict(zip(asked, chosen, strict=True))

    def _choices(self, name: str) -> list[str]:
        about = self.section("Parameters")[name]
        if about["Type"] == "Number":
            return ["0", "1"]
        return [str(value) for value in about.get("AllowedValues", ["", GIVEN])]

    def conditions(self, parameters: Parameters) -> dict[str, bool]:
        """Which conditions hold."""
        known: dict[str, bool] = {}
        for name, condition in self.section("Conditions").items():
            known[name] = self._holds(condition, parameters, known)
        return known

    def _holds(self, condition: Any, parameters: Parameters, known: Mapping[str, bool]) -> bool:
        """A condition refers to those above it only."""
        ((function, operands),) = condition.items()
        match function:
            case "Condition":
                return known[operands]
            case "Fn::Not":
                return not self._holds(operands[0], parameters, known)
            case "Fn::And":
                return all(self._holds(one, parameters, known) for one in operands)
            case "Fn::Or":
                return any(self._holds(one, parameters, known) for one in operands)
            case "Fn::Equals":
                left, right = (parameters[one["Ref"]] if isinstance(one, dict) else str(one) for one in operands)
                return left == right
        raise AssertionError(f"{function} in a condition")

    def rendered(self, section: str, parameters: Parameters) -> dict[str, Any]:
        """A section's entries that are there with these parameters, every `Fn::If` decided."""
        known = self.conditions(parameters)
        entries = self.section(section).items()
        return {name: decide(entry, known) for name, entry in entries if known.get(entry.get("Condition", ""), True)}


def decide(value: Any, known: Mapping[str, bool]) -> Any:
    """A value with every `Fn::If` decided, and without what is `AWS::NoValue`."""
    match value:
        case {"Fn::If": [condition, if_true, if_false]}:
            return decide(if_true if known[condition] else if_false, known)
        case {"Ref": "AWS::NoValue"}:
            return NO_VALUE
        case dict():
            items = ((key, decide(one, known)) for key, one in value.items())
            return {key: one for key, one in items if one is not NO_VALUE}
        case list():
            return [one for one in (decide(each, known) for each in value) if one is not NO_VALUE]
    return value


def references(value: Any, keys: tuple[str, ...] = ("Ref", "Fn::GetAtt", "Fn::Sub", "DependsOn")) -> Iterator[str]:
    """The names that a value refers to, pseudo parameters left out."""
    if isinstance(value, list):
        for one in value:
            yield from references(one, keys)
    if not isinstance(value, dict):
        return
    for key, one in value.items():
        if key not in keys:
            yield from references(one, keys)
            continue
        match key, one:
            case "Fn::GetAtt", [name, _]:
                yield name
            case "Fn::Sub", [str(text), dict(own)]:
                yield from (name for name in _placeholders(text) if name not in own)
                yield from references(own, keys)
            case "Fn::Sub", str(text):
                yield from _placeholders(text)
            case (("Ref" | "DependsOn"), str(name)) if not name.startswith("AWS::"):
                yield name.removesuffix(_ALIAS)


def _placeholders(text: str) -> Iterator[str]:
    yield from (name.partition(".")[0] for name in _PLACEHOLDER.findall(text) if not name.startswith("AWS::"))


def used_conditions(value: Any) -> Iterator[str]:
    """The conditions that a value names."""
    if isinstance(value, list):
        for one in value:
            yield from used_conditions(one)
    if isinstance(value, dict):
        for key, one in value.items():
            if key == "Condition" and isinstance(one, str):
                yield one
            if key == "Fn::If":
                yield one[0]
            yield from used_conditions(one)
