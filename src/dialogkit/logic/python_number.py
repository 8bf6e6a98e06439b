"""The functions over numbers and over the rows of a repeat as JavaRosa has them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import ROUND_HALF_DOWN, ROUND_HALF_UP, Context, Decimal
from typing import Final

from dialogkit.logic.dates import milliseconds
from dialogkit.logic.parse import NotDecidable
from dialogkit.logic.python_known import ANY, Known, plain
from dialogkit.logic.values import Found, NodeSet, Value, as_int, listed, single, to_boolean, to_int, to_number

#: Where Java's `max` and `min` begin: the smallest number above nothing, and the largest.
_LEAST: Final = 5e-324
_MOST: Final = 1.7976931348623157e308
_EXACT: Final = Context(prec=700)
_DAY: Final = 86_400_000


def _double(found: Found) -> float:
    """A number of a value; of a computed moment, not of one in a question, its days since 1970 with their fraction."""
    if isinstance(found, datetime):
        return (milliseconds(found) - milliseconds(datetime(1970, 1, 1, tzinfo=found.tzinfo))) / _DAY
    return to_number(single(found))


def _of(run: Callable[[float], float]) -> Known:
    """A function of mathematics that gives NaN outside of where it is defined."""

    def safe(_: object, found: Found) -> float:
        try:
            return run(_double(found))
        except ValueError:
            return math.nan
        except OverflowError:
            return math.inf

    return Known(1, 1, safe, nodes=True)


def _of_two(run: Callable[[float, float], float]) -> Known:
    return Known(2, 2, lambda _, one, other: run(_double(one), _double(other)), nodes=True)


def _log(run: Callable[[float], float]) -> Known:
    return _of(lambda number: run(number) if number else -math.inf)


def _power(base: float, exponent: float) -> float:
    """Java's `Math.pow`."""
    if math.isnan(exponent) or (abs(base) == 1 and math.isinf(exponent)):
        return math.nan
    try:
        return math.pow(base, exponent)
    except ValueError:
        if base:
            return math.nan
        return math.copysign(math.inf, base) if exponent % 2 == 1 else math.inf
    except OverflowError:
        return -math.inf if base < 0 and exponent % 2 == 1 else math.inf


def _round(value: Value, places: Value = 0.0) -> float:
    """Half away from zero above it, half towards zero below it."""
    number, shift = to_number(value), as_int(to_number(places))
    if not math.isfinite(number):
        return number
    if abs(shift) > 30:
        return math.nan
    exact = Decimal(repr(number))
    if shift >= 0:
        way = ROUND_HALF_DOWN if number < 0 else ROUND_HALF_UP
        return float(exact.quantize(Decimal(1).scaleb(-shift), way, _EXACT))
    scaled = math.trunc(min(max(float(exact.scaleb(shift, _EXACT)) + 0.5, -(2.0**63)), 2.0**63))
    return float(Decimal(scaled).scaleb(-shift, _EXACT))


def _numbers(arguments: tuple[Found, ...]) -> list[float]:
    """The numbers of one set of nodes, or of several values; NaN is left out."""
    alone = len(arguments) == 1 and isinstance(arguments[0], NodeSet)
    values = listed(arguments[0]) if alone else [single(one) for one in arguments]
    return [number for number in map(to_number, values) if not math.isnan(number)]


def _extreme(most: Callable[..., float], start: float) -> Known:
    def run(_: object, *arguments: Found) -> float:
        numbers = _numbers(arguments)
        return most(start, *numbers) if numbers else math.nan

    return Known(1, ANY, run, nodes=True)


def _nodes(found: Found) -> NodeSet:
    if isinstance(found, NodeSet):
        return found
    raise NotDecidable("a function that counts or adds nodes is given a value: phones stop there")


def _sum(found: Found) -> float:
    total = 0.0
    for number in map(to_number, _nodes(found).values):
        total += 0.0 if math.isnan(number) else number
    return total


def _checklist(least: Found, most: Found, *factors: Found) -> bool:
    values = listed(factors[0]) if len(factors) == 1 else [single(one) for one in factors]
    fewest, largest = (as_int(to_number(single(one))) for one in (least, most))
    count = sum(map(to_boolean, values))
    return (fewest < 0 or count >= fewest) and (largest < 0 or count <= largest)


def _weighted(least: Found, most: Found, *pairs: Found) -> bool:
    if len(pairs) % 2:
        raise NotDecidable("weighted-checklist() takes pairs of an answer and its weight")
    flags: Sequence[Value] = [single(one) for one in pairs[::2]] if len(pairs) != 2 else listed(pairs[0])
    weights: Sequence[Value] = [single(one) for one in pairs[1::2]] if len(pairs) != 2 else listed(pairs[1])
    if len(flags) != len(weights):
        raise NotDecidable("weighted-checklist() has another number of weights than of answers: phones stop there")
    total = sum(to_number(weight) for flag, weight in zip(flags, weights, strict=True) if to_boolean(flag))
    return to_number(single(least)) <= total <= to_number(single(most))


NUMBERS: Final[Mapping[str, Known]] = {
    "int": plain(1, to_int),
    "round": Known(1, 2, lambda _, *values: _round(*values)),
    "abs": _of(abs),
    "pow": _of_two(_power),
    "sqrt": _of(math.sqrt),
    "exp": _of(math.exp),
    "exp10": _of(lambda number: _power(10.0, number)),
    "log": _log(math.log),
    "log10": _log(math.log10),
    "pi": plain(0, lambda: math.pi),
    "sin": _of(math.sin),
    "cos": _of(math.cos),
    "tan": _of(math.tan),
    "asin": _of(math.asin),
    "acos": _of(math.acos),
    "atan": _of(math.atan),
    "atan2": _of_two(math.atan2),
    "count": Known(1, 1, lambda _, nodes: float(len(_nodes(nodes).values)), nodes=True),
    "count-non-empty": Known(1, 1, lambda _, nodes: float(_nodes(nodes).filled), nodes=True),
    "sum": Known(1, 1, lambda _, nodes: _sum(nodes), nodes=True),
    "max": _extreme(max, _LEAST),
    "min": _extreme(min, _MOST),
    "checklist": Known(2, ANY, lambda _, *arguments: _checklist(*arguments), nodes=True),
    "weighted-checklist": Known(2, ANY, lambda _, *arguments: _weighted(*arguments), nodes=True),
}
