"""The threads of a run."""

from __future__ import annotations

import os

import torch


def set_threads(threads: int) -> None:
    """Let PyTorch and the kernels use so many threads; 0 for as many as this process may."""
    torch.set_num_threads(threads or len(os.sched_getaffinity(0)))
