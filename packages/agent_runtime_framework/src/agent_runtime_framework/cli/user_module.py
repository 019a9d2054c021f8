"""The user's module, named by its dotted name or by its file."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType

from agent_runtime_framework.cli.failure import CommandError, located

__all__ = ["load_module"]


def load_module(place: str) -> ModuleType:
    """The module of a dotted name or a path, imported.

    Raises:
        CommandError: It is not there, or it cannot be imported; the text says why, with file and line.
    """
    is_path = place.endswith(".py") or os.sep in place or "/" in place or place in (".", "..", "~")
    return _load_file(place) if is_path else _load_by_name(place)


def _load_by_name(name: str) -> ModuleType:
    """Import a module by its dotted name, with the current directory importable as for `python -m`."""
    if not all(part.isidentifier() for part in name.split(".")):
        raise CommandError(
            f"{name!r} is neither a module nor a Python file. Name the agent as module:Agent or path/to/file.py:Agent."
        )
    _importable(os.getcwd())
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise _import_failed(name, error) from error
        hint = f" Did you mean {name}.py?" if Path(f"{name}.py").is_file() else ""
        raise CommandError(
            f"there is no module {error.name!r}, neither in the current directory nor installed.{hint}"
        ) from None
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # the user's module may raise anything, SystemExit too
        raise _import_failed(name, error) from error


def _load_file(place: str) -> ModuleType:
    """Run a Python file as a module; what lies beside it is importable, as for `python file.py`."""
    path = Path(place).expanduser()
    try:
        path = path.resolve()
        if not path.exists():
            guess = path.with_name(f"{path.name}.py")
            hint = f" Did you mean {place}.py?" if guess.is_file() else ""
            raise CommandError(f"there is no file {place}.{hint}")
        if path.is_dir():
            raise CommandError(
                f"{place} is a directory. Name a Python file in it, as {Path(place) / 'agent.py'}:Agent."
            )
    except (OSError, ValueError) as error:  # a directory that may not be entered, a name no file can have
        raise CommandError(f"cannot open {place}: {error}") from error
    if path.suffix != ".py":
        raise CommandError(f"{place} is not a Python file (.py).")
    root, name = _as_module(path)
    _importable(str(root))
    try:
        if "." in name:  # inside a package: relative imports work, and its modules are loaded once
            return importlib.import_module(name)
        return _run_file(path, name)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # the user's file may raise anything, SystemExit too
        raise _import_failed(place, error) from error


def _as_module(path: Path) -> tuple[Path, str]:
    """The directory to import from, and the dotted name of the file seen from there."""
    root, parts = path.parent, [path.stem]
    while (root / "__init__.py").is_file() and root.name.isidentifier() and root.parent != root:
        root, parts = root.parent, [root.name, *parts]
    return root, ".".join(parts)


def _run_file(path: Path, name: str) -> ModuleType:
    if name in sys.modules or name in sys.stdlib_module_names:  # it must not take the place of another
        name = f"{name}_file"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up while it is being run
    spec.loader.exec_module(module)
    return module


def _importable(directory: str) -> None:
    if directory not in sys.path:
        sys.path.insert(0, directory)


def _import_failed(place: str, error: BaseException) -> CommandError:
    if isinstance(error, SystemExit):
        return CommandError(
            f"{place} exits while it is imported (exit code {error.code}). "
            f'Put what it runs under `if __name__ == "__main__":`.'
        )
    return CommandError(f"{place} cannot be imported: {located(error)}")
