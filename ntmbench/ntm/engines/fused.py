"""The fused engine: compiled kernels. Numba is imported when they first run.

Training with it ends at the same digits on every processor with fused multiply-add, whatever
PyTorch, NumPy and the C library make of that processor. Between a seed and the weights they are
asked for nothing that IEEE 754 does not fix: copies, comparisons, whole numbers, and operations on
single numbers, each rounded once. What they computed before, and what does now:

- initial weights (``nn.Linear``, ``xavier_uniform_``, ``randn``): ``ntm.beginning``, from streams
  of ``data.randomness``;
- the first weightings, if they are learned (``math.log``, ``softmax`` and its derivative):
  ``data.elementary``, ``engine.elementwise``;
- sums of the first values' gradients over the sequences (``sum``, ``index_add``):
  ``kernels.gradients``;
- the loss and its slope (``sigmoid``, ``softmax``, ``softplus``, ``logsumexp``):
  ``engine.elementwise``; its sums and means (``sum``, ``mean``): ``answer.sum_in_order``, ``fsum``;
- the schedule and Adam's corrections (``math.cos``, ``**``): ``data.elementary``;
- n-gram tables (``np.sin``): ``data.elementary``; the order of keys (``argsort``): a stable one;
- in the kernels, vectors as wide as a register, sums in LLVM's order, ``pow`` and whatever LLVM
  chose to fuse: ``engine.simd``; in the optimizer, fast mathematics with approximate quotients and
  roots: ``engine.optimizer_update``.

On x86 processors the kernels take denormal numbers for zero, elsewhere they do not: there digits
may differ where such numbers matter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntmbench.engine.contract import Engine
from ntmbench.registry import register_engine

if TYPE_CHECKING:
    from torch import Tensor

    from ntmbench.ntm.model import NTM
    from ntmbench.ntm.trace import NTMTrace


@register_engine("ntm", rank=0)
class FusedEngine(Engine["NTM"]):
    """Compiled kernels that take a whole sequence, on a CPU."""

    name = "fused"
    modules = ("ntmbench.ntm.kernels.autograd", "ntmbench.engine.elementwise_kernels")

    def obstacle(self, model: NTM, inputs: Tensor) -> str | None:
        """What the kernels cannot run, and where PyTorch could not follow them.

        Raises:
            ModelError: for inputs of a type or on a device that do not go with the weights.
        """
        from ntmbench.ntm.kernels.obstacle import obstacle_of

        return obstacle_of(model.settings, inputs, model.tensors())

    def run(self, model: NTM, inputs: Tensor) -> Tensor:
        """Map inputs ``[T, B, in]`` to logits ``[T, B, out]``, with gradients for every tensor."""
        from ntmbench.engine.elementwise import differentiable_softmax
        from ntmbench.ntm.kernels import autograd

        first = model.first_values(differentiable_softmax)
        return autograd.run(model.settings, inputs, first, model.weights())

    def trace(self, model: NTM, inputs: Tensor) -> NTMTrace:
        """Run inputs without gradients and return what the memory did."""
        from ntmbench.engine.elementwise import differentiable_softmax
        from ntmbench.ntm.kernels import autograd

        first = model.first_values(differentiable_softmax)
        return autograd.trace(model.settings, inputs, first, model.weights())
