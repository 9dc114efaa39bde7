"""The sources of compiled code: a module's file and those of the modules that it imports.

Imports are read from the files, and nothing is imported. Only imports at module level count, and
only those of the same top-level package or of this one. What a function imports when it is called,
or what is imported under ``TYPE_CHECKING``, is not compiled in.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib.util
from collections.abc import Callable, Iterator
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any, NamedTuple

_HERE = __name__.partition(".")[0]


def sources_of(module: str, file: Path | None = None) -> dict[str, Path]:
    """The files that a module is made of, by the names of their modules.

    Args:
        module: its full name.
        file: its file, if the name does not lead there (``__main__``).

    Raises:
        ModuleNotFoundError: if there is no such module.
    """
    found: dict[str, Path] = {}
    left = {module: file or _file_of(module)}
    while left:
        name, path = left.popitem()
        if path is not None and name not in found:
            found[name] = path
            left |= _source(name, path).imported
    return found


def digest_of(*modules: str) -> str:
    """A digest of everything that modules are made of."""
    found: dict[str, Path] = {}
    for module in modules:
        found |= sources_of(module)
    return _digest(found)


def digest_of_function(function: Callable[..., Any]) -> str | None:
    """A digest of everything that a function's module is made of; None if it has no file."""
    file = Path(function.__code__.co_filename)
    return _digest(sources_of(function.__module__, file)) if file.is_file() else None


def _digest(files: dict[str, Path]) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for name, path in sorted(files.items()):
        # One digest for each file, so that code that moves from one to the next is noticed too.
        digest.update(_source(name, path).digest)
    return digest.hexdigest()


class _Source(NamedTuple):
    """A module as it was when it was first asked for: what this process runs."""

    digest: bytes
    imported: dict[str, Path | None]  # the modules that it imports, and their files


@functools.cache
def _source(module: str, path: Path) -> _Source:
    content = path.read_bytes()
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    roots = {_HERE, module.partition(".")[0]}
    imported = {
        found
        for name in _imports(ast.parse(content), package)
        if name.partition(".")[0] in roots
        if (found := _module_in(name)) is not None
    }
    digest = hashlib.blake2b(content).digest()
    return _Source(digest, {name: _file_of(name) for name in imported})


def _imports(tree: ast.Module, package: str) -> set[str]:
    """Full names of what a module of a package imports: modules, and names in modules."""
    found = set()
    for node in _executed(tree.body):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) + 1 - node.level]
            base = ".".join([*(above if node.level else []), *filter(None, [node.module])])
            found |= {f"{base}.{alias.name}" for alias in node.names}
    return found


def _executed(statements: list[ast.stmt]) -> Iterator[ast.stmt]:
    """All statements that run when a module is imported."""
    for node in statements:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            yield from _executed(node.orelse)
            continue
        yield node
        for field in ("body", "orelse", "finalbody", "handlers"):
            for child in getattr(node, field, []):
                yield from _executed(
                    child.body if isinstance(child, ast.ExceptHandler) else [child]
                )


def _module_in(name: str) -> str | None:
    """The module that ``package.module`` or ``package.module.name`` leads to."""
    parent = name.rpartition(".")[0]
    above = _spec(parent) if parent else None
    if above is not None and above.submodule_search_locations is None:
        return parent
    return name if _spec(name) is not None else (parent if above is not None else None)


def _spec(name: str) -> ModuleSpec | None:
    try:
        return importlib.util.find_spec(name)
    except ModuleNotFoundError:  # a package above it is missing; the import itself reports it
        return None


def _file_of(module: str) -> Path | None:
    """A module's file; None for a package without one."""
    spec = importlib.util.find_spec(module)
    if spec is None:
        raise ModuleNotFoundError(f"There is no module '{module}'.", name=module)
    return Path(spec.origin) if spec.has_location and spec.origin else None
