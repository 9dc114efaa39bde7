"""The lengths at which a run's weights were tested, kept until all of them are.

A test of long sequences takes a while. A run that is stopped in it goes on with the next length.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from ntmbench.data.files import write_text
from ntmbench.data.identity import fingerprint
from ntmbench.evaluation.grid import Tested


class LengthsTested:
    """A file of what was found at each length with the same weights."""

    def __init__(self, path: Path, weights: str) -> None:
        """Read the file; one of other weights, or a damaged one, is as if it were not there.

        ``weights`` is a digest of the weights that are tested.
        """
        self._path = path
        self._weights = weights
        self._found: dict[str, dict[str, Any]] = {}
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            if content["weights"] == weights and content["digest"] == _digest(content):
                self._found = dict(content["lengths"])
        except (FileNotFoundError, ValueError, TypeError, KeyError):
            return

    def get(self, length: int) -> Tested | None:
        """What was found at a length; None where it is not tested yet."""
        if (kept := self._found.get(str(length))) is None:
            return None
        return Tested(kept["row"], pd.DataFrame(kept["by_position"]))

    def keep(self, length: int, tested: Tested) -> None:
        """Write what was found at a length; floats keep all their digits."""
        columns = tested.by_position.to_dict("list")
        self._found[str(length)] = {"row": tested.row, "by_position": columns}
        content: dict[str, Any] = {"weights": self._weights, "lengths": self._found}
        write_text(self._path, json.dumps({**content, "digest": _digest(content)}))

    def forget(self) -> None:
        """Remove the file, once everything is in the run's tables."""
        self._path.unlink(missing_ok=True)


def _digest(content: Mapping[str, Any]) -> str:
    return fingerprint({"weights": content["weights"], "lengths": content["lengths"]})
