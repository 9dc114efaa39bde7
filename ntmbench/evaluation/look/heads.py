"""How the heads of a memory were used: the small table ``heads.csv``."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

#: Keys are put into so many bins of equally many steps.
KEY_BINS = 20

COLUMNS = [
    *("length", "does", "head", "phase", "steps", "slots", "slots_in_use"),
    *("by_key", "by_position", "sharpness", "on_item", "on_any_item", "delay"),
]


def heads_table(places: pd.DataFrame) -> pd.DataFrame:
    """A row for each length, head and phase; columns of ``heads.csv``.

    - ``length``: of the sequences.
    - ``does``: read or write; ``head``: its number; ``phase``: input or answer.
    - ``steps``: how many steps of all sequences count.
    - ``slots``: of the memory.
    - ``slots_in_use``: the effective number of slots, exp of the entropy of where the head was.
    - ``by_key``, ``by_position``: the share of the slot's variance that is explained by the number
      that puts items in order, and by the position in the phase. It is a correlation ratio, so that
      no linearity is assumed, and it is 0 on average where there is no relation. Slots in a ring
      count as points on a circle.
    - ``sharpness``: the mean largest weight.
    - ``on_item``: the mean weight, in the answer, on the slot that was written when the item asked
      for was shown; ``on_any_item``: the same for an item chosen blindly; ``delay``: by how many
      steps that slot was written later, as ``places_table`` tells.

    What is not known is NaN. A memory without slots has rows for what it reads in the answer.
    ``places`` has the columns of ``places_table``, and ``length``.
    """
    keys = ["length", "does", "head", "phase"]
    rows = []
    for of, group in places.groupby(keys, sort=False):
        slots, circular = int(group["slots"].iloc[0]), bool(group["circular"].iloc[0])
        at = group["slot"].to_numpy(dtype=float)
        place = np.exp(2j * np.pi * at / slots) if circular else at.astype(complex)
        rows.append(
            {
                **dict(zip(keys, of, strict=True)),
                "steps": len(group),
                "slots": slots if slots else np.nan,
                "slots_in_use": _effective_number(group["slot"]),
                "by_key": explained(place, _key_bins(group["key"])),
                "by_position": explained(place, group["position"].to_numpy(dtype=float)),
                "sharpness": group["largest"].mean(),
                **{name: group[name].mean() for name in ("on_item", "on_any_item")},
                "delay": group["delay"].iloc[0] if group["on_item"].notna().any() else np.nan,
            }
        )
    return pd.DataFrame(rows, columns=COLUMNS).dropna(
        subset=["slots", "on_item"], how="all", ignore_index=True
    )


def explained(values: NDArray[np.complex128], groups: NDArray[np.float64]) -> float:
    """The share of the variance of ``values`` that their ``groups`` explain, at least 0.

    It is the correlation ratio eta squared, corrected for what as many groups explain by chance
    (Kelley 1935). Values whose group is NaN do not count. NaN if there is no variance, or no more
    values than groups.
    """
    known = ~np.isnan(groups) & ~np.isnan(values)
    chosen = values[known]
    _, of = np.unique(groups[known], return_inverse=True)
    count, kinds = len(chosen), int(of.max(initial=-1)) + 1
    total = float((np.abs(chosen - chosen.mean()) ** 2).sum()) if count else 0.0
    if total <= 1e-9 * count or count <= kinds:
        return float("nan")
    sizes = np.bincount(of)
    means = (np.bincount(of, chosen.real) + 1j * np.bincount(of, chosen.imag)) / sizes
    within = float((np.abs(chosen - means[of]) ** 2).sum())
    return max(0.0, 1 - within / total * (count - 1) / (count - kinds))


def _effective_number(slots: pd.Series[float]) -> float:
    shares = slots.value_counts(normalize=True).to_numpy()
    return float(np.exp(-(shares * np.log(shares)).sum())) if len(shares) else float("nan")


def _key_bins(keys: pd.Series[float]) -> NDArray[np.float64]:
    """Bins of equally many keys; equal keys share one."""
    ranks = keys.rank(method="min", pct=True)  # NaN where there is no key
    return np.ceil(ranks.to_numpy(dtype=float) * KEY_BINS)
