"""Names for files and for places in the page."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import count


def slugs(labels: Iterable[str]) -> dict[str, str]:
    """A name of its own for each label's files and anchors: letters, digits and hyphens."""
    names: dict[str, str] = {}
    for label in labels:
        slug = re.sub(r"[^a-z0-9]+", "-", label.lower()).strip("-")[:60] or "unnamed"
        taken = set(names.values())
        numbered = (f"{slug}-{number}" for number in count(2))
        names[label] = slug if slug not in taken else next(n for n in numbered if n not in taken)
    return names
