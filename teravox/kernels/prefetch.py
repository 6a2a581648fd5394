"""Asks for a place in memory ahead of its use, in compiled loops that jump about in arrays larger than the cache."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic
from numpy.typing import NDArray

_READ, _KEEP, _DATA = 0, 3, 1  # of llvm.prefetch: what for, how long, which cache


def _begin_to_load(_context: Any, array: Any, _at: Any) -> Any:  # Any: numba's own objects
    """Begin to load what is at a place of a flat array; any place will do, also one outside."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # Any: as above
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        takes = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        call = builder.module.declare_intrinsic("llvm.prefetch", [byte], takes)
        place = builder.bitcast(builder.gep(data, [arguments[1]]), byte)
        builder.call(call, [place, number(_READ), number(_KEEP), number(_DATA)])
        return context.get_dummy_value()

    return types.void(array, types.int64), generate


prefetch = cast("Callable[[NDArray[Any], int], None]", intrinsic(_begin_to_load))  # Any: of whatever the array is
