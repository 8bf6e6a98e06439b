"""What must hold so that a condition is true (or false): a search backwards through its tree.

It proposes, it does not prove: what it finds is tried, and the evaluator has the last word. Functions that it does not
take apart ask for nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Final, Literal, Protocol

from dialogkit.logic.parse import Number, Text
from dialogkit.logic.tree import Function, Nodes, Operation, Tree

Measure = Literal["value", "length", "count", "rows"]
Comparison = Literal["=", "!=", "<", "<=", ">", ">="]
Sign = Literal["=", "!=", "<", "<=", ">", ">=", "selected", "not selected", "regex", "starts", "contains", "ends"]

_OPPOSITE: Final[dict[str, Comparison]] = {"=": "!=", "!=": "=", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}
_TURNED: Final[dict[str, Comparison]] = {"=": "=", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_COMPARISONS: Final[dict[str, Comparison]] = {sign: sign for sign in _TURNED.values()}
#: Functions that leave the value as it is, as far as a bound on it goes.
_PLAIN: Final = frozenset({"number", "int", "string", "date", "decimal-date-time", "date-time", "once", "round"})
_MEASURES: Final[dict[str, Measure]] = {
    "string-length": "length",
    "count-selected": "count",
    "count": "rows",
    "count-non-empty": "rows",
}
_TEXTUAL: Final[dict[str, Sign]] = {"regex": "regex", "starts-with": "starts", "contains": "contains"}
_TEXTUAL["ends-with"] = "ends"


@dataclass(frozen=True, slots=True)
class Want:
    """One thing that should hold of an answer.

    Args:
        path: of the question, or of a repeat whose rows are counted.
        of: the value itself, its length, how many are selected, or how many rows have it.
        sign: how it compares.
        other: with what.
    """

    path: str
    of: Measure
    sign: Sign
    other: Tree


class Impossible(Exception):  # noqa: N818 - an outcome of the search, never told to people as an error
    """No answer makes the condition so. `reason` is for people."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class Known(Protocol):
    """What the search knows of the questions of a form."""

    def calculation(self, path: str) -> Tree | None:
        """The tree of a calculated answer; None where it is not calculated, or not decidable."""

    def fixed(self, path: str) -> str | None:
        """The answer of a question that nobody can give another; None where somebody can."""

    def codes(self, path: str) -> frozenset[str] | None:
        """The choices of a question whose list is known; None for others."""


@dataclass(frozen=True, slots=True)
class Goals:
    """The search.

    Args:
        rng: chooses between ways that are equally good.
        known: looked up where a condition reads an answer.
    """

    rng: Random
    known: Known

    def of(self, tree: Tree, truth: bool = True, depth: int = 12) -> list[Want]:
        """What should hold so that the tree is as `truth` says.

        Raises:
            Impossible: it never is.
        """
        if depth < 0:
            return []
        found: list[Want] = []
        match tree:
            case Number() | Text():
                found = _sure(_is_true(tree) == truth)
            case Operation("and" | "or" as operator, left, right):
                found = self._joined((operator == "and") == truth, (left, right), truth, depth)
            case Operation("=" | "!=" | "<" | "<=" | ">" | ">=" as sign, left, right):
                found = self._compared(sign if truth else _OPPOSITE[sign], left, right, depth)
            case Function(name, arguments):
                found = self._function(name, arguments, truth, depth)
            case Nodes():
                found = self._compared("!=" if truth else "=", tree, Text(""), depth)
        return found

    def _joined(self, every: bool, parts: Iterable[Tree], truth: bool, depth: int) -> list[Want]:
        if every:
            return [want for part in parts for want in self.of(part, truth, depth - 1)]
        return self._first(self.rng.sample(list(parts), len(list(parts))), lambda part: self.of(part, truth, depth - 1))

    def _first(self, ways: Iterable[Tree], follow: Callable[[Tree], list[Want]]) -> list[Want]:
        reason = ""
        for way in ways:
            try:
                return follow(way)
            except Impossible as error:
                reason = error.reason
        raise Impossible(reason)

    def _function(self, name: str, arguments: tuple[Tree, ...], truth: bool, depth: int) -> list[Want]:
        found: list[Want] = []
        match name, arguments:
            case ("true", ()) | ("false", ()):
                found = _sure((name == "true") == truth)
            case "not", (inside,):
                found = self.of(inside, not truth, depth - 1)
            case ("boolean", (inside,)) | ("string", (inside,)):
                found = self.of(inside, truth, depth - 1)
            case "if", (condition, yes, no):
                found = self._either(condition, lambda part: self.of(part, truth, depth - 1), yes, no, depth)
            case ("selected", (ticked, choice)) | ("is-selected", (ticked, choice)):
                found = self._selected(ticked, choice, truth, depth)
            case _, (Nodes() as nodes, other) if truth and name in _TEXTUAL:
                found = self._want(nodes, "value", _TEXTUAL[name], other, depth)
        return found

    def _selected(self, ticked: Tree, choice: Tree, truth: bool, depth: int) -> list[Want]:
        match ticked, choice:
            case Text(words), Text(word):
                return _sure((word in words.split()) == truth)
            case Text(words), Nodes() if not truth:
                return [want for w in words.split() for want in self._compared("!=", choice, Text(w), depth)]
            case Text(words), Nodes():
                ways = [Text(word) for word in self.rng.sample(words.split(), len(words.split()))]
                return self._first(ways, lambda word: self._compared("=", choice, word, depth))
            case Nodes(), _:
                return self._want(ticked, "value", "selected" if truth else "not selected", choice, depth)
        return []

    def _either(
        self, condition: Tree, follow: Callable[[Tree], list[Want]], yes: Tree, no: Tree, depth: int
    ) -> list[Want]:
        """One of the two values of an `if`, with what leads there."""

        def way(value: Tree) -> list[Want]:
            return follow(value) + self.of(condition, value is yes, depth - 1)

        return self._first(self.rng.sample([yes, no], 2), way)

    def _compared(self, sign: Comparison, left: Tree, right: Tree, depth: int) -> list[Want]:
        if depth < 0:
            return []
        left, right = _unwrapped(left), _unwrapped(right)
        if isinstance(left, Number | Text) and isinstance(right, Number | Text):
            return _sure(_compare(sign, left, right))
        if isinstance(left, Number | Text) or (isinstance(right, Nodes) and not isinstance(left, Nodes | Function)):
            return self._against(_TURNED[sign], right, left, depth)
        return self._against(sign, left, right, depth)

    def _against(self, sign: Comparison, left: Tree, right: Tree, depth: int) -> list[Want]:
        """What is compared, and with what."""
        found: list[Want] = []
        match left, right:
            case Nodes(), _:
                found = self._want(left, "value", sign, right, depth)
            case Function("if", (condition, yes, no)), _:
                found = self._either(
                    condition, lambda part: self._compared(sign, part, right, depth - 1), yes, no, depth
                )
            case Function(name, (Nodes() as of,)), _ if name in _MEASURES:
                found = self._want(of, _MEASURES[name], sign, right, depth)
            case Function("true" | "false" as name, ()), _:
                found = self.of(right, (name == "true") == (sign == "="), depth - 1)
            case _, Function("true" | "false" as name, ()):
                found = self.of(left, (name == "true") == (sign == "="), depth - 1)
            case Function("selected" | "not" | "regex"), Number(digits) if sign in ("=", "!="):
                found = self.of(left, (float(digits) != 0) == (sign == "="), depth - 1)
            case Operation("+"), Number(digits):
                found = self._summed(sign, list(_added(left)), int(float(digits)), depth)
            case _, Nodes():
                found = self._want(right, "value", _TURNED[sign], left, depth)
        return found

    def _summed(self, sign: Comparison, parts: list[Tree], total: int, depth: int) -> list[Want]:
        """Whole numbers whose sum compares so: a few parts take all of it."""
        total += {"<": -1, ">": 1, "!=": 1}.get(sign, 0)
        if total < 0:
            return []
        if sign in ("<", "<="):
            total = self.rng.randint(min(1, total), total)
        shares = [0] * len(parts)
        left = total
        for place in self.rng.sample(range(len(parts)), min(3, len(parts))):
            shares[place] = self.rng.randint(0, left)
            left -= shares[place]
        shares[self.rng.randrange(len(parts))] += left
        pairs = zip(parts, shares, strict=True)
        return [want for part, share in pairs for want in self._compared("=", part, Number(str(share)), depth - 1)]

    def _want(self, nodes: Nodes, of: Measure, sign: Sign, other: Tree, depth: int) -> list[Want]:
        calculation = self.known.calculation(nodes.path) if of == "value" else None
        if calculation is None:
            self._refuse_impossible(nodes.path, of, sign, other)
            return [Want(nodes.path, of, sign, other)]
        if sign in ("selected", "not selected"):
            return self._selected(calculation, other, sign == "selected", depth - 1)
        comparison = _COMPARISONS.get(sign)
        return self._compared(comparison, calculation, other, depth - 1) if comparison else []

    def _refuse_impossible(self, path: str, of: str, sign: Sign, other: Tree) -> None:
        if of != "value" or not isinstance(other, Number | Text):
            return
        fixed = self.known.fixed(path)
        if fixed is not None and not holds(sign, fixed, other):
            raise Impossible(f"it needs an answer to {path}, which nobody can give on a phone")
        codes = self.known.codes(path)
        if codes is not None and sign in ("=", "selected") and written(other) not in {"", *codes}:
            raise Impossible(f"it needs a choice of {path} that its list does not have")


def holds(sign: Sign, answer: str, other: Number | Text) -> bool:
    """Whether an answer compares so with a literal; patterns are left to the evaluator."""
    if sign in ("selected", "not selected"):
        return (written(other) in answer.split()) == (sign == "selected")
    if sign in _OPPOSITE:
        return _compare(sign, Text(answer), other)
    text = written(other)
    known = {"starts": answer.startswith(text), "ends": answer.endswith(text), "contains": text in answer}
    return known.get(sign, True)


def written(literal: Number | Text) -> str:
    """The text of a literal."""
    return literal.value if isinstance(literal, Text) else literal.digits


def _added(tree: Tree) -> Iterator[Tree]:
    if isinstance(tree, Operation) and tree.operator == "+":
        yield from _added(tree.left)
        yield from _added(tree.right)
    else:
        yield tree


def _unwrapped(tree: Tree) -> Tree:
    while isinstance(tree, Function) and tree.name in _PLAIN and len(tree.arguments) == 1:
        inside = tree.arguments[0]
        if tree.name in ("date", "date-time", "decimal-date-time") and isinstance(inside, Text):
            return tree
        tree = inside
    return tree


def _sure(holds: bool) -> list[Want]:
    if not holds:
        raise Impossible("its condition is never met, whatever is answered")
    return []


def _is_true(tree: Number | Text) -> bool:
    return bool(tree.value) if isinstance(tree, Text) else float(tree.digits) != 0


def _compare(sign: str, left: Number | Text, right: Number | Text) -> bool:
    if isinstance(left, Text) and isinstance(right, Text) and sign in ("=", "!="):
        return (left.value == right.value) == (sign == "=")
    one, other = _number(left), _number(right)
    known = {"=": one == other, "!=": one != other, "<": one < other, "<=": one <= other, ">": one > other}
    return known.get(sign, one >= other)


def _number(tree: Number | Text) -> float:
    try:
        return float(tree.digits if isinstance(tree, Number) else tree.value)
    except ValueError:
        return float("nan")
