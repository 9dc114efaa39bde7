"""exp, log, tanh, sigmoid and softplus of vectors, to about the precision of their type.

Each is plain range reduction and a Taylor series as long as the type needs. NaN stays NaN. Their
operations are those of IEEE 754, so that every processor computes the same digits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from llvmlite import ir
from numba.extending import intrinsic

from .vector_ir import call, constant, fused, maximum_value, minimum_value, suffix

#: 1 / ln 2.
_LOG2_E = 1.4426950408889634


@dataclass(frozen=True)
class _Format:
    """What range reduction and series need to know of a floating-point type."""

    integer: ir.IntType
    mantissa_bits: int
    bias: int
    #: Adding it leaves the nearest integer in the lowest bits of the mantissa.
    rounder: float
    #: ln 2 in two parts; the first has few enough bits that its multiples are exact.
    ln2_high: float
    ln2_low: float
    #: exp is zero below exp_low, and takes larger arguments as exp_high.
    exp_low: float
    exp_high: float
    #: tanh is 1 from here on.
    tanh_high: float
    exp_degree: int
    #: Terms of the series of artanh for log (arguments to 0.172) and for log1p (to 1/3).
    log_terms: int
    log1p_terms: int


_SINGLE = _Format(
    integer=ir.IntType(32),
    mantissa_bits=23,
    bias=127,
    rounder=1.5 * 2.0**23,
    ln2_high=0.693359375,
    ln2_low=-2.12194440e-4,
    exp_low=-87.3,
    exp_high=88.3,
    tanh_high=9.1,
    exp_degree=7,
    log_terms=5,
    log1p_terms=9,
)
_DOUBLE = _Format(
    integer=ir.IntType(64),
    mantissa_bits=52,
    bias=1023,
    rounder=1.5 * 2.0**52,
    ln2_high=6.93147180369123816490e-01,
    ln2_low=1.90821492927058770002e-10,
    exp_low=-708.3,
    exp_high=709.3,
    tanh_high=20.0,
    exp_degree=13,
    log_terms=11,
    log1p_terms=18,
)


def _format(vector: ir.VectorType) -> _Format:
    return _SINGLE if isinstance(vector.element, ir.FloatType) else _DOUBLE


def _polynomial(builder: Any, x: ir.Value, coefficients: list[float]) -> ir.Value:
    """IR for a polynomial by Horner's rule, the highest coefficient first."""
    result = constant(x.type, coefficients[0])
    for coefficient in coefficients[1:]:
        result = fused(builder, result, x, constant(x.type, coefficient))
    return result


def _integers(vector: ir.VectorType, value: int) -> ir.Constant:
    integer = _format(vector).integer
    return ir.Constant(
        ir.VectorType(integer, vector.count),
        [ir.Constant(integer, value)] * vector.count,
    )


def _reduced_exponential(builder: Any, x: ir.Value) -> tuple[ir.Value, ir.Value]:
    """IR for s, a power of two, and q with exp(x) = s * (1 + q) and q precise around zero."""
    vector, form = x.type, _format(x.type)
    rounder = constant(vector, form.rounder)
    rounded = fused(builder, x, constant(vector, _LOG2_E), rounder)
    power = builder.fsub(rounded, rounder)
    rest = fused(builder, power, constant(vector, -form.ln2_high), x)
    rest = fused(builder, power, constant(vector, -form.ln2_low), rest)
    series = [1 / math.factorial(k) for k in range(form.exp_degree, 1, -1)]
    q = fused(builder, builder.fmul(rest, rest), _polynomial(builder, rest, series), rest)
    bits = builder.bitcast(rounded, ir.VectorType(form.integer, vector.count))
    bits = builder.add(bits, _integers(vector, form.bias))
    scale = builder.bitcast(builder.shl(bits, _integers(vector, form.mantissa_bits)), vector)
    return scale, q


def exp_value(builder: Any, x: ir.Value) -> ir.Value:
    """IR for exp(x)."""
    vector, form = x.type, _format(x.type)
    low = constant(vector, form.exp_low)
    clamped = maximum_value(builder, x, low)
    clamped = minimum_value(builder, clamped, constant(vector, form.exp_high))
    scale, q = _reduced_exponential(builder, clamped)
    result = fused(builder, scale, q, scale)
    return builder.select(builder.fcmp_ordered("<", x, low), constant(vector, 0.0), result)


def log_value(builder: Any, x: ir.Value) -> ir.Value:
    """IR for log(x), for normal positive numbers."""
    vector, form = x.type, _format(x.type)
    integers = ir.VectorType(form.integer, vector.count)
    bits = builder.bitcast(x, integers)
    # The exponent for which the rest lies between sqrt(1/2) and sqrt(2).
    root_half = constant(vector, math.sqrt(0.5))
    root_bits = builder.bitcast(root_half, integers)
    exponent = builder.ashr(builder.sub(bits, root_bits), _integers(vector, form.mantissa_bits))
    rest_bits = builder.sub(bits, builder.shl(exponent, _integers(vector, form.mantissa_bits)))
    rest = builder.bitcast(rest_bits, vector)
    power = builder.sitofp(exponent, vector)
    one = constant(vector, 1.0)
    s = builder.fdiv(builder.fsub(rest, one), builder.fadd(rest, one))
    low = fused(
        builder,
        power,
        constant(vector, form.ln2_low),
        _artanh2(builder, s, form.log_terms),
    )
    result = fused(builder, power, constant(vector, form.ln2_high), low)
    # The bits of NaN would pass for those of a large number.
    return builder.select(builder.fcmp_unordered("uno", x, x), x, result)


def _artanh2(builder: Any, s: ir.Value, terms: int) -> ir.Value:
    """IR for 2 artanh(s) = log((1 + s) / (1 - s))."""
    square = builder.fmul(s, s)
    series = [2 / (2 * k + 1) for k in range(terms, -1, -1)]
    return builder.fmul(s, _polynomial(builder, square, series))


def tanh_value(builder: Any, x: ir.Value) -> ir.Value:
    """IR for tanh(x) = (exp(2x) - 1) / (exp(2x) + 1)."""
    vector, form = x.type, _format(x.type)
    clamped = maximum_value(builder, x, constant(vector, -form.tanh_high))
    clamped = minimum_value(builder, clamped, constant(vector, form.tanh_high))
    scale, q = _reduced_exponential(builder, builder.fadd(clamped, clamped))
    one, two = constant(vector, 1.0), constant(vector, 2.0)
    expm1 = fused(builder, scale, q, builder.fsub(scale, one))
    return builder.fdiv(expm1, builder.fadd(expm1, two))


def sigmoid_value(builder: Any, x: ir.Value) -> ir.Value:
    """IR for 1 / (1 + exp(-x))."""
    one = constant(x.type, 1.0)
    return builder.fdiv(one, builder.fadd(one, exp_value(builder, builder.fneg(x))))


def softplus_value(builder: Any, x: ir.Value) -> ir.Value:
    """IR for log(1 + exp(x)) = max(x, 0) + log1p(exp(-|x|))."""
    zero, two = constant(x.type, 0.0), constant(x.type, 2.0)
    magnitude = call(builder, f"llvm.fabs.{suffix(x.type)}", x.type, [x])
    y = exp_value(builder, builder.fneg(magnitude))
    log1p = _artanh2(builder, builder.fdiv(y, builder.fadd(two, y)), _format(x.type).log1p_terms)
    return builder.fadd(maximum_value(builder, x, zero), log1p)


def minus_expm1_value(builder: Any, x: ir.Value) -> ir.Value:
    """IR for 1 - exp(-x) with x not negative: the slope of softplus where its value is x."""
    vector, form = x.type, _format(x.type)
    clamped = minimum_value(builder, x, constant(vector, -form.exp_low))
    scale, q = _reduced_exponential(builder, builder.fneg(clamped))
    expm1 = fused(builder, scale, q, builder.fsub(scale, constant(vector, 1.0)))
    return builder.fneg(expm1)


def _function(generator: Any, doc: str) -> Any:
    def typed(typing: Any, value: Any) -> Any:
        def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            return generator(builder, args[0])

        return value(value), generate

    typed.__doc__ = doc
    return intrinsic(typed)


exp = _function(exp_value, "exp(x); zero where the type's normal numbers end.")
log = _function(log_value, "log(x) for normal positive x.")
tanh = _function(tanh_value, "tanh(x).")
sigmoid = _function(sigmoid_value, "1 / (1 + exp(-x)).")
softplus = _function(softplus_value, "log(1 + exp(x)).")
softplus_slope = _function(minus_expm1_value, "The slope of softplus where its value is x.")
