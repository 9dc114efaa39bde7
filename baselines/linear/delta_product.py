"""DeltaProduct (Siems et al. 2025): several steps of the delta rule for each step."""

from __future__ import annotations

from dataclasses import dataclass, field

from ntmbench.baselines.linear.blocks import BlockModel, ConvolutionSettings, head_size
from ntmbench.baselines.linear.delta import delta_blocks
from ntmbench.data.ranges import Range, searched
from ntmbench.errors import check_range
from ntmbench.registry import register_model

MAX_PRODUCT = 64


@dataclass(frozen=True)
class DeltaProductSettings(ConvolutionSettings):
    """Settings of DeltaProduct."""

    #: Steps of the delta rule for each step of the sequence, n.
    product: int = field(default=2, metadata=searched(Range(1, 4)))
    #: Whether beta_t reaches 2 instead of 1, so that the state can be reflected.
    negative_eigenvalues: bool = True
    #: Whether the state fades before the first of the n steps, as in Gated DeltaNet.
    forgetting: bool = False

    def __post_init__(self) -> None:
        """Check the ranges."""
        super().__post_init__()
        check_range("model.product", self.product, 1, MAX_PRODUCT)


@register_model("delta_product", settings=DeltaProductSettings, width="hidden_size")
class DeltaProduct(BlockModel):
    """DeltaNet with n keys, values and strengths for each step of the sequence.

    With H_t,j the state after j of the n steps, so that H_t,0 = H_t-1,n (the paper has its
    transpose, and calls n n_h)::

        H_t,j = H_t,j-1 (I - beta_t,j k_t,j k_t,j^T) + beta_t,j v_t,j k_t,j^T,    j = 1 ... n
        o_t   = H_t,n q_t

    A reflection (beta = 2) exchanges two things, and a product of n reflections makes any
    permutation of n + 1 things in one step of the sequence. With ``forgetting`` the state has the
    factor alpha_t of Gated DeltaNet before the first of the n steps. All else is as in DeltaNet.
    """

    def __init__(self, input_width: int, output_width: int, settings: DeltaProductSettings) -> None:
        """Build the blocks."""
        size = head_size(settings.hidden_size, settings.heads)
        blocks = delta_blocks(
            settings,
            size,
            size,
            negative_eigenvalues=settings.negative_eigenvalues,
            forgetting=settings.forgetting,
            steps=settings.product,
        )
        super().__init__(input_width, output_width, settings.hidden_size, blocks)
