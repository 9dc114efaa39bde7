"""Crowded recall: look one key up among ever more pairs."""

from __future__ import annotations

from dataclasses import dataclass

from ntmbench.data.lengths import MAX_LENGTH, Lengths, check_sizes
from ntmbench.errors import check_range
from ntmbench.registry import register_task
from ntmbench.tasks.disturb.pairs import PairTask


@register_task("crowded_recall")
@dataclass(frozen=True)
class CrowdedRecall(PairTask):
    """Answer a key with its value, among more pairs than there is room for.

    ``k1 v1 k2 v2 k3 v3 ?k2? -> v2``.

    A length counts the pairs: the strength of the crowding. L pairs of a key and a value are shown,
    a vector a step, and then one of the keys. Keys, values and which key it is are uniform.
    Channels of their own are raised beside keys and query. If the key was shown more than once, the
    first one counts. T = 2 L + 2, and the answer is the last step. By chance half of its ``bits``
    are wrong.

    Tests ask for a slot for each pair, but never for so many that a memory is enlarged beyond
    ``slots`` slots; an NTM has a power of two, one of them to rest on. A memory that has no more in
    training must then keep L / ``slots`` pairs in a slot. At the default sizes this is half a pair
    at the end of training, one at 16 pairs and eight at 128. A memory that has more from training
    on keeps them, and is crowded later; ``conf/recipe/crowded_recall_ntm.yaml`` gives the NTM 16.

    A model without slots is not enlarged in any task. Its state is as large as in training
    throughout, and its exact match falls where the pairs no longer fit into it. So the half-values
    of all models can be compared as numbers of pairs, beside the size of their states.

    The task is this suite's own. Of recall (Graves et al. 2014, section 4.3) it differs in that a
    key has a value of its own, and is not the value of the key before.

    No model of the gallery solves it with its budget: the best, ``seq2seq``, makes 73 % of the
    errors of chance.

    Two pairs (inputs: bits, key, query | targets)::

        >>> from ntmbench.data.text import as_text
        >>> task = CrowdedRecall(bits=3)
        >>> print(as_text(task.test_set(length=2, sequences=1)))
        0 0 0 1 0 | . . .
        0 0 1 0 0 | . . .
        0 0 1 1 0 | . . .
        1 0 0 0 0 | . . .
        0 0 1 0 1 | . . .
        0 0 0 0 0 | 1 0 0
    """

    #: Most slots that an external memory is enlarged to in tests, from 1 to 100000.
    slots: int = 16
    #: Fewest pairs in training, from 1 to ``max_length``.
    min_length: int = 1
    #: Most pairs in training, from 1 to 100000.
    max_length: int = 8

    family = "disturb"
    axis = "pairs"
    version = 2
    lengths = Lengths(8, test=(4, 8, 16, 32, 64, 128), select=((1, 1), (3, 2)))

    def __post_init__(self) -> None:
        """Check the settings; SettingError names the one that is out of range."""
        check_sizes(self.bits, self.min_length, self.max_length)
        check_range("task.slots", self.slots, 1, MAX_LENGTH)

    def pairs_at(self, length: int) -> int:
        """As many as the length counts."""
        return length

    def demand(self, length: int) -> int:
        """One for each pair, as far as a power of two of at most ``slots`` slots has room.

        A slot is left over, since some models need one to rest on.
        """
        room = 1 << (self.slots.bit_length() - 1)
        return min(length, room - 1)
