"""Arrays by their addresses, for compiled code that takes any number of them at once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types
from numba.extending import intrinsic
from numba.np.arrayobj import populate_array
from numpy.typing import NDArray
from torch import Tensor


def addresses_of(*tensors: Tensor) -> NDArray[np.int64]:
    """The tensors' addresses, 0 for an empty one. The caller keeps the tensors alive.

    The numbers there are the tensors' own only if these are ``plain``.
    """
    return np.array([tensor.data_ptr() for tensor in tensors], dtype=np.int64)


def plain(tensor: Tensor) -> Tensor:
    """The tensor as kernels can take it by its address: contiguous, without a lazy negation."""
    return tensor.contiguous().resolve_neg()


@intrinsic
def at_address(typing: Any, like: Any, address: Any, size: Any) -> Any:
    """The ``size`` numbers at an address as a flat array of the type of another."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        array = context.make_array(like)(context, builder)
        item = context.get_constant(types.intp, like.dtype.bitwidth // 8)
        populate_array(
            array,
            data=builder.inttoptr(args[1], context.get_data_type(like.dtype).as_pointer()),
            shape=[args[2]],
            strides=[item],
            itemsize=item,
            meminfo=None,
        )
        return array._getvalue()

    return like(like, types.intp, types.intp), generate
