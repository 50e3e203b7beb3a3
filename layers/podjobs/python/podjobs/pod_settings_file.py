"""Pod's own settings file, settings_local.py: parsed, never executed.

What is written down as it is counts; what would have to be computed is only named, with its line.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


class UnreadableFileError(Exception):
    """The file cannot be read, or is not Python; the message, the end of a sentence about it, says why."""


@dataclass(frozen=True)
class PodSettingsFile:
    """What the file says."""

    values: dict[str, Any] = field(default_factory=dict, repr=False)
    """Upper-case names with literal values. May be secret."""
    computed: dict[str, int] = field(default_factory=dict)
    """Names whose values are not known without running the file → the line that computes or changes them."""


def read_settings_file(path: Path) -> PodSettingsFile:
    """Read the assignments of a Python settings file.

    Args:
        path: of the file, in UTF-8 or in the encoding that its first lines declare (PEP 263).

    Raises:
        UnreadableFileError: it cannot be read.
    """
    try:
        tree = ast.parse(path.read_bytes(), filename=str(path))
    except OSError as error:
        raise UnreadableFileError(f"cannot be read: {error}") from error
    except SyntaxError as error:
        where = f" (line {error.lineno})" if error.lineno else ""
        raise UnreadableFileError(f"is not valid Python{where}: {error.msg}") from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise UnreadableFileError(f"is not valid Python: {error}") from error
    found = PodSettingsFile()
    for node in tree.body:
        _note(node, found)
    return found


def _note(node: ast.stmt, found: PodSettingsFile) -> None:
    targets, value = _assignment(node)
    names = [target.id for target in targets if isinstance(target, ast.Name)]
    if value is None or len(names) < len(targets):
        # a condition, a loop, `+=`, a method that changes a list, a part of a value: that is no longer known
        for name in _touched(node):
            _forget(name, node.lineno, found)
        return
    try:
        literal = ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        for name in names:
            _forget(name, node.lineno, found)
        return
    for name in filter(str.isupper, names):
        found.values[name] = literal
        found.computed.pop(name, None)


def _assignment(node: ast.stmt) -> tuple[list[ast.expr], ast.expr | None]:
    """What is assigned, and to what; None: it is no assignment."""
    if isinstance(node, ast.Assign):
        return node.targets, node.value
    if isinstance(node, ast.AnnAssign) and node.value is not None:
        return [node.target], node.value
    return [], None


def _forget(name: str, line: int, found: PodSettingsFile) -> None:
    if name.isupper():
        found.values.pop(name, None)
        found.computed[name] = line


def _touched(node: ast.AST) -> Iterator[str]:
    """The names that a piece of code assigns, or calls a method of, or assigns parts of."""
    for one in ast.walk(node):
        match one:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                yield name
            case ast.Subscript(value=value, ctx=ast.Store() | ast.Del()) | ast.Call(func=ast.Attribute(value=value)):
                while isinstance(value, ast.Subscript | ast.Attribute):
                    value = value.value
                if isinstance(value, ast.Name):
                    yield value.id
