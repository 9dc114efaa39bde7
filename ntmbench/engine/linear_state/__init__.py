"""The recurrence that all memories share whose state is a matrix per head."""

from ntmbench.engine.linear_state.influence import influences
from ntmbench.engine.linear_state.recurrence import linear_state

__all__ = ["influences", "linear_state"]
