"""Links from node to node: where they lead, and whether they form one circle.

Links are ``[2, N, B]``: of each of N links the node it comes from and the one it leads to.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ntmbench.data.choices import Integers


def followed(links: Integers, starts: Integers, hops: int) -> list[Integers]:
    """Which link ``[Q, B]`` each hop from ``starts [Q, B]`` follows, first hop first."""
    before, after = links
    node = starts
    places: list[Integers] = []
    for _ in range(hops):
        places.append((node[:, np.newaxis] == before).argmax(axis=1))
        node = np.take_along_axis(after, places[-1], axis=0)
    return places


def is_circle(links: Integers) -> NDArray[np.bool_]:
    """Whether the links of each sequence ``[B]`` lead from a node through all others to it."""
    before, after = links
    node, back = before[:1], np.zeros(before.shape[1], bool)
    for place in followed(links, node, len(before) - 1):
        back |= (np.take_along_axis(after, place, axis=0) == node)[0]
    return ~back
