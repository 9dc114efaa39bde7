"""Gated DeltaNet (Yang, Kautz and Hatamizadeh 2024): the delta rule with a state that forgets."""

from __future__ import annotations

from dataclasses import dataclass

from ntmbench.baselines.linear.blocks import BlockModel, ConvolutionSettings, head_size
from ntmbench.baselines.linear.delta import delta_blocks
from ntmbench.registry import register_model


@dataclass(frozen=True)
class GatedDeltaNetSettings(ConvolutionSettings):
    """Settings of Gated DeltaNet."""

    #: Whether beta_t reaches 2 instead of 1, so that the state can change its sign under a key.
    negative_eigenvalues: bool = False


@register_model("gated_delta_net", settings=GatedDeltaNetSettings, width="hidden_size")
class GatedDeltaNet(BlockModel):
    """DeltaNet, with a factor by which the whole state fades.

    With query, key and value q_t, k_t, v_t of a head, its writing strength beta_t, and the factor
    alpha_t, which is that of Mamba 2::

        beta_t  = sigmoid(w_beta^T x_t)
        alpha_t = exp(-A softplus(w_alpha^T x_t + c))
        S_t     = S_{t-1} (alpha_t (I - beta_t k_t k_t^T)) + beta_t v_t k_t^T
        o_t     = S_t q_t

    S_t is equation 10 of the paper as it appeared at ICLR 2025 (section 3.1). What is read has an
    RMSNorm per head and a gate SiLU(W_g x_t) (section 3.4). As in the paper's code, keys take 3/4
    of the hidden size and values twice as much as keys; c starts as in Mamba 2, and A uniform
    between 0 and 16. All else is as in DeltaNet.
    """

    def __init__(
        self, input_width: int, output_width: int, settings: GatedDeltaNetSettings
    ) -> None:
        """Build the blocks."""
        size = head_size(0.75 * settings.hidden_size, settings.heads)
        blocks = delta_blocks(
            settings,
            size,
            2 * size,
            negative_eigenvalues=settings.negative_eigenvalues,
            forgetting=True,
            output_gate=True,
        )
        super().__init__(input_width, output_width, settings.hidden_size, blocks)
