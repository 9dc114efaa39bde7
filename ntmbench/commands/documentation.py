"""Documentation of a settings dataclass: the lines ``#:`` above each of its fields."""

from __future__ import annotations

import dataclasses
import inspect
import re
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Setting:
    """A setting as a user meets it."""

    name: str
    default: Any
    #: What it means; empty if its class does not say, or the source cannot be read.
    help: str


def documented(settings: type) -> dict[str, Setting]:
    """The fields of a dataclass that have defaults, by name and in order."""
    comments: dict[str, str] = {}
    for part in reversed(settings.__mro__):
        comments |= _comments(part)
    found = {}
    for field in dataclasses.fields(settings):
        default = field.default
        if field.default_factory is not dataclasses.MISSING:
            default = field.default_factory()
        if default is not dataclasses.MISSING:
            found[field.name] = Setting(field.name, default, comments.get(field.name, ""))
    return found


def _comments(part: type) -> dict[str, str]:
    """The comments of the fields that a class defines itself."""
    try:
        lines = inspect.getsource(part).splitlines()
    except (OSError, TypeError):  # built in, or typed into an interpreter
        return {}
    found: dict[str, str] = {}
    comment: list[str] = []
    for line in map(str.strip, lines):
        if line.startswith("#:"):
            comment.append(line.removeprefix("#:").strip())
        else:
            if comment and (field := re.match(r"(\w+)\s*:", line)):
                found[field[1]] = " ".join(comment)
            comment = []
    return found
