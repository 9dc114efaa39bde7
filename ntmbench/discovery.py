"""Discovery: importing all modules of a package, so that what they define is registered."""

from __future__ import annotations

import importlib
from pathlib import Path


def import_modules(package: str, folder: str) -> None:
    """Import every module of a package, however deep, in the order of their names.

    A folder inside needs no ``__init__.py``, so that the first module of a new family is one file.
    The module behind ``python -m`` and hidden files and folders are passed over.

    Args:
        package: the package's name.
        folder: the folder of its files.
    """
    found = (file.relative_to(folder).with_suffix("").parts for file in Path(folder).rglob("*.py"))
    for parts in sorted(found):
        hidden = any(part.startswith(".") for part in parts)
        if parts[-1] not in ("__init__", "__main__") and not hidden:
            importlib.import_module(".".join((package, *parts)))
