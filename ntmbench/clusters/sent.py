"""A worker on its way to a process that somebody else started, as Ray's are.

What bears on numbers and speed must be set there before PyTorch and Numba are imported. So the
worker and its cells travel as bytes, and are unpacked after that. This module imports neither.
"""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ntmbench.clusters.chunks import Cell, Worker
    from ntmbench.commands.cells import Note

#: The beginnings of the names of the variables that travel: threads, processors, observers.
CARRIED = ("ATEN_", "KMP_", "MKL_", "NUMBA_", "OMP_", "OPENBLAS_", "PYTORCH_", "TORCH_", "WANDB_")


@dataclass(frozen=True)
class Sent:
    """A worker, packed.

    Attributes:
        packed: the worker's bytes.
        environment: the variables that travel.
        path: where the sending process finds modules, such as that of ``model.target``.
    """

    packed: bytes
    environment: dict[str, str]
    path: list[str]

    @classmethod
    def of(cls, worker: Worker) -> Sent:
        """Pack a worker, with the environment of this process."""
        import cloudpickle

        packed: bytes = cloudpickle.dumps(worker)
        carried = {name: text for name, text in os.environ.items() if name.startswith(CARRIED)}
        return cls(packed, carried, [path for path in sys.path if path])


def run(sent: Sent, cells: bytes) -> list[Note]:
    """Unpack a worker and cells, and run them, see ``Worker.run``."""
    os.environ.update(sent.environment)
    sys.path.extend(path for path in sent.path if path not in sys.path)
    worker: Worker = pickle.loads(sent.packed)
    return worker.run(pickle.loads(cells))


def pack(cells: Sequence[Cell]) -> bytes:
    """Pack the cells of one chunk."""
    return pickle.dumps(list(cells))
