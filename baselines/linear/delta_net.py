"""DeltaNet (Schlag et al. 2021; Yang et al. 2024): a fast weight matrix that corrects itself."""

from __future__ import annotations

from dataclasses import dataclass

from ntmbench.baselines.linear.blocks import BlockModel, ConvolutionSettings, head_size
from ntmbench.baselines.linear.delta import delta_blocks
from ntmbench.registry import register_model


@dataclass(frozen=True)
class DeltaNetSettings(ConvolutionSettings):
    """Settings of DeltaNet."""

    #: Whether beta_t reaches 2 instead of 1, so that the state can change its sign under a key.
    negative_eigenvalues: bool = False


@register_model("delta_net", settings=DeltaNetSettings, width="hidden_size")
class DeltaNet(BlockModel):
    """What is found under a key is replaced, in part, by the new value.

    With query, key and value q_t, k_t, v_t of a head, and its writing strength beta_t::

        beta_t = sigmoid(w^T x_t)
        S_t    = S_{t-1} (I - beta_t k_t k_t^T) + beta_t v_t k_t^T
        o_t    = S_t q_t

    The rule is that of Schlag et al. (2021), section 4.2, written as in Yang et al. (2024), section
    2.2. With ``negative_eigenvalues``, beta_t = 2 sigmoid(w^T x_t), and the eigenvalue 1 - beta_t
    of the matrix lies between -1 and 1 (Grazzi et al. 2024, table 2): parity takes no more than
    that. As in Yang et al. (2024), section 3.3, q_t and k_t have length 1 after a short convolution
    and SiLU. v_t has the same convolution, what is read has an RMSNorm per head, and blocks
    alternate with SwiGLU.
    """

    def __init__(self, input_width: int, output_width: int, settings: DeltaNetSettings) -> None:
        """Build the blocks."""
        size = head_size(settings.hidden_size, settings.heads)
        blocks = delta_blocks(
            settings, size, size, negative_eigenvalues=settings.negative_eigenvalues
        )
        super().__init__(input_width, output_width, settings.hidden_size, blocks)
