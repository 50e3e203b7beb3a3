"""Loads a deployable's main.py, as functions-framework does."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

MODULE = "main"


def load_source(source: Path) -> ModuleType:
    """Load a deployable; its folder is put on `sys.path`.

    Args:
        source: its main.py.

    Raises:
        ImportError: there is no such file, or it is not Python.
    """
    spec = importlib.util.spec_from_file_location(MODULE, source)
    if spec is None or spec.loader is None or not source.is_file():
        raise ImportError(f"{source} is not a Python file. Name a function's main.py, as functions/encoding/main.py.")
    module = importlib.util.module_from_spec(spec)
    sys.path.append(str(source.resolve().parent))
    sys.modules[MODULE] = module
    spec.loader.exec_module(module)
    return module
