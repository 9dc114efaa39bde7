"""Small settings of the registered models."""

from __future__ import annotations

from typing import Any

#: Settings that make a model small; models without any are checked as they are.
SMALL: dict[str, dict[str, Any]] = {
    "ntm": {"controller_size": 6, "memory_slots": 8, "word_size": 4},
    "rnn": {"hidden_size": 6},
    "gru": {"hidden_size": 6},
    "attention_seq2seq": {"hidden_size": 6},
    "transformer": {"hidden_size": 9},
    "looped_transformer": {"hidden_size": 9, "loops": 3},
    "stack_rnn": {"hidden_size": 6, "depth": 5, "cell_size": 3},
    "linear_attention": {"hidden_size": 6},
    "delta_net": {"hidden_size": 6},
    "gated_delta_net": {"hidden_size": 6},
    "delta_product": {"hidden_size": 6},
    "mlstm": {"hidden_size": 6},
    "slstm": {"hidden_size": 6},
    "ttt_linear": {"hidden_size": 6, "mini_batch": 3},
    "rwkv7": {"hidden_size": 6, "rank": 4},
    "mamba2": {"hidden_size": 6, "state_size": 5},
    "dnc": {"controller_size": 6, "memory_slots": 6, "word_size": 4, "read_heads": 2},
    "sparse_memory": {
        "controller_size": 6,
        "memory_slots": 5,
        "word_size": 4,
        "read_heads": 2,
        "touched": 2,
    },
    "tape_rnn": {"hidden_size": 6, "cells": 5, "cell_size": 3, "writer_size": 4},
}
#: These need more than widths: a task, or a user's class. Tests of their own check them.
APART = {"oracle", "custom"}
