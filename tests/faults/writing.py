"""The moments at which a program in this process changes a folder, one after the other."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

#: Called before a change: with its kind, and the name of what is changed.
Act = Callable[[str, str], None]

CHANGING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


class _Halved:
    """A file in which the middle of each write is a moment of its own."""

    def __init__(self, file: Any, act: Act, name: str) -> None:
        self._file, self._act, self._name = file, act, name

    def write(self, content: Any) -> int:
        middle = len(content) // 2
        self._file.write(content[:middle])
        self._file.flush()
        self._act("write", self._name)
        self._file.write(content[middle:])
        return len(content)

    def __enter__(self) -> _Halved:
        return self

    def __exit__(self, *exception: object) -> None:
        self._file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


@contextmanager
def before_each_change(act: Act, below: Path) -> Iterator[None]:
    """Call ``act`` before each change of something below a folder; it may raise.

    Changes are files that are opened for writing, made folders, flushes to the disk, renames, and
    the middle of each write to a file of the suite and to the log.
    """
    names: dict[int, str] = {}
    opened, fdopened, synced = os.open, os.fdopen, os.fsync
    made, replaced, log_opened = os.mkdir, os.replace, logging.FileHandler._open

    def is_below(path: Any) -> bool:
        return isinstance(path, str | os.PathLike) and (below in Path(path).absolute().parents)

    def open_(path: Any, flags: int, *arguments: Any, **named: Any) -> int:
        ours = is_below(path) and flags & CHANGING
        if ours:
            act("open", Path(path).name)
        descriptor = opened(path, flags, *arguments, **named)
        if ours:
            names[descriptor] = Path(path).name
        return descriptor

    def fdopen(descriptor: int, *arguments: Any, **named: Any) -> Any:
        file = fdopened(descriptor, *arguments, **named)
        return _Halved(file, act, names[descriptor]) if descriptor in names else file

    def fsync(descriptor: int) -> None:
        if descriptor in names:
            act("fsync", names[descriptor])
        synced(descriptor)

    def mkdir(path: Any, *arguments: Any, **named: Any) -> None:
        if is_below(path) and not Path(path).exists():
            act("mkdir", Path(path).name)
        made(path, *arguments, **named)

    def replace(source: Any, target: Any, **named: Any) -> None:
        if is_below(target):
            act("rename", Path(target).name)
        replaced(source, target, **named)

    def log_open(handler: logging.FileHandler) -> Any:
        act("open", Path(handler.baseFilename).name)
        return _Halved(log_opened(handler), act, Path(handler.baseFilename).name)

    with ExitStack() as stack:
        for name, function in (
            ("open", open_),
            ("fdopen", fdopen),
            ("fsync", fsync),
            ("mkdir", mkdir),
            ("replace", replace),
        ):
            stack.enter_context(mock.patch.object(os, name, function))
        stack.enter_context(mock.patch.object(logging.FileHandler, "_open", log_open))
        yield


def changes(run: Callable[[], object], below: Path) -> list[str]:
    """What a program changes, in order: the kind and the name of each change."""
    found: list[str] = []
    with before_each_change(lambda kind, name: found.append(f"{kind} {name}"), below):
        run()
    return found
