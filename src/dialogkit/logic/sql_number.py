"""Functions of XForms expressions over numbers, in SQL: NULL is NaN."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from dialogkit.logic.parse import NeedsPython
from dialogkit.logic.sql_let import let
from dialogkit.logic.sql_moments import with_fraction
from dialogkit.logic.sql_text import Maker
from dialogkit.logic.terms import Term, boolean, number, number_literal

#: Java's `Double.MIN_VALUE`, from which `max()` starts: the largest of numbers below 0 is this.
_TINY: Final = "CAST('4.9e-324' AS DOUBLE)"


def _of_double(template: str, guard: str = "") -> Callable[..., Term]:
    """A function over numbers that reads a date with its time; outside of `guard` it is NaN."""

    def make(*terms: Term) -> Term:
        values = [_double(term) for term in terms]
        if not guard:
            return Term(f"nullif({template.format(*values)}, 'nan')", "number")
        (value,) = values
        held = let(value, lambda one: f"CASE WHEN {guard.format(one)} THEN {template.format(one)} END")
        return Term(held, "number")

    return make


def _logarithm(function: str) -> Callable[..., Term]:
    # DuckDB 1.5 takes no logarithm of zero.
    return _of_double(f"CASE WHEN {{0}} = 0 THEN CAST('-inf' AS DOUBLE) ELSE {function}({{0}}) END", "{0} >= 0")


def _double(term: Term) -> str:
    return with_fraction(term) if term.type in ("date", "moment", "time") else number(term)


def _int(term: Term) -> Term:
    if term.whole:
        return Term(term.sql, "number", whole=True, finite=True)
    return Term(f"trunc({number(term)})", "number", finite=term.finite or term.type == "text")


def _round(term: Term, places: Term | None = None) -> Term:
    """Half is rounded up, towards plus infinity; by the digits that Java writes for the number."""
    if places is None:
        return Term(let(number(term), _to_whole), "number")
    if places.literal is None and not places.sql.lstrip("(-").rstrip(")").isdigit():
        raise NeedsPython("round() has a number of places that is not written out")
    count = int(places.sql.replace("(", "").replace(")", "")) if places.whole else 0
    if not -15 <= count <= 8:
        raise NeedsPython("round() to so many places")
    if count < 0:
        return Term(f"(trunc({number(term)} / 1e{-count} + 0.5) * 1e{-count})", "number")
    if count == 0:
        return Term(let(number(term), _to_whole), "number")

    def digits(held: str) -> str:
        exact = f"CAST(CAST({held} AS VARCHAR) AS DECIMAL(38, 18))"
        rounded = f"CAST(floor({exact} * 1{'0' * count} + 0.5) AS DOUBLE) / 1e{count}"
        return f"CASE WHEN abs({held}) < 1e9 THEN {rounded} ELSE {held} END"

    return Term(let(number(term), digits), "number")


def _to_whole(held: str) -> str:
    rounded = f"CASE WHEN {held} - floor({held}) >= 0.5 THEN ceil({held}) ELSE floor({held}) END"
    return f"CASE WHEN isinf({held}) THEN {held} ELSE {rounded} END"


def largest(found: str) -> str:
    """What `max()` makes of the largest number."""
    return let(found, lambda held: f"CASE WHEN {held} < {_TINY} THEN {_TINY} ELSE {held} END")


def _max(*terms: Term) -> Term:
    if all(term.literal is not None or term.whole for term in terms) and any(_is_positive(term) for term in terms):
        return Term(f"greatest({', '.join(number(term) for term in terms)})", "number", finite=True)
    return Term(largest(f"greatest({', '.join(number(term) for term in terms)})"), "number")


def _is_positive(term: Term) -> bool:
    return term.type == "number" and term.literal is not None and float(term.literal) > 0


def _min(*terms: Term) -> Term:
    return Term(f"least({', '.join(number(term) for term in terms)})", "number")


def _checklist(fewest: Term, most: Term, *factors: Term) -> Term:
    return checklist(fewest, most, " + ".join(f"CAST({boolean(one)} AS INTEGER)" for one in factors) or "0")


def checklist(fewest: Term, most: Term, count: str) -> Term:
    """Whether so many factors hold: no fewer, no more; below 0 is no limit."""
    low, high = (f"coalesce(trunc({number(term)}), 0)" for term in (fewest, most))
    both = f"(({low}) < 0 OR ({count}) >= {low}) AND (({high}) < 0 OR ({count}) <= {high})"
    return Term(f"({both})", "boolean")


def _weighted(fewest: Term, most: Term, *pairs: Term) -> Term:
    if len(pairs) % 2:
        raise NeedsPython("weighted-checklist() has a factor without a weight")
    parts = [
        f"CASE WHEN {boolean(one)} THEN {number(weight)} ELSE 0 END"
        for one, weight in zip(pairs[::2], pairs[1::2], strict=True)
    ]
    within = let(
        f"({' + '.join(parts) or '0'})", lambda held: f"{held} >= {number(fewest)} AND {held} <= {number(most)}"
    )
    return Term(f"coalesce({within}, false)", "boolean")


def _trigonometry() -> dict[str, Maker]:
    plain: Sequence[str] = ("sin", "cos", "tan")
    within = {"acos": "abs({0}) <= 1", "asin": "abs({0}) <= 1"}
    made: dict[str, Maker] = {name: (1, 1, _of_double(f"{name}({{0}})", "NOT isinf({0})")) for name in plain}
    made |= {name: (1, 1, _of_double(f"{name}({{0}})", guard)) for name, guard in within.items()}
    return {**made, "atan": (1, 1, _of_double("atan({0})")), "atan2": (2, 2, _of_double("atan2({0}, {1})"))}


NUMBER_FUNCTIONS: Final[Mapping[str, Maker]] = {
    "number": (1, 1, lambda term: term if term.type == "number" and not term.blank else Term(number(term), "number")),
    "int": (1, 1, _int),
    "round": (1, 2, _round),
    "abs": (1, 1, _of_double("abs({0})")),
    "pow": (2, 2, _of_double("pow({0}, {1})")),
    "sqrt": (1, 1, _of_double("sqrt({0})", "{0} >= 0")),
    "exp": (1, 1, _of_double("exp({0})")),
    "exp10": (1, 1, _of_double("pow(10, {0})")),
    "log": (1, 1, _logarithm("ln")),
    "log10": (1, 1, _logarithm("log10")),
    "pi": (0, 0, lambda: number_literal(math.pi)),
    **_trigonometry(),
    "checklist": (2, 99, _checklist),
    "weighted-checklist": (2, 99, _weighted),
    "max": (1, 99, _max),
    "min": (1, 99, _min),
}
