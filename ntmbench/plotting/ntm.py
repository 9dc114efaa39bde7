"""The panels of an NTM's memory, of runs of earlier versions: later ones keep their panels."""

from __future__ import annotations

from ntmbench.plotting.panels import FloatArray, Panel


def ntm_panels(
    adds: FloatArray, reads: FloatArray, write_weightings: FloatArray, read_weightings: FloatArray
) -> list[Panel]:
    """How the memory was used, after figure 6 of Graves et al. (2014).

    Two columns: on the left what goes in, on the right what comes out.

    Args:
        adds: ``[T, W, M]``, of W write heads.
        reads: ``[T, R, M]``, of R read heads.
        write_weightings: ``[T, W, N]``, over N slots.
        read_weightings: ``[T, R, N]``.
    """
    return [
        Panel("adds", "word element", adds, "signed"),
        Panel("reads", "word element", reads, "signed"),
        Panel("write weightings", "slot", write_weightings, "weights", circular=True),
        Panel("read weightings", "slot", read_weightings, "weights", circular=True),
    ]
