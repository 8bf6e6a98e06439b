"""The typed tree of an expression → a function that computes it, exactly as JavaRosa would.

A tree is compiled into closures once, so that a form can be evaluated for many submissions.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import Final

from dialogkit.logic.answers import Facts, Row
from dialogkit.logic.lists import Lists
from dialogkit.logic.parse import NotDecidable, Number, Text
from dialogkit.logic.picking import Picker
from dialogkit.logic.python_functions import FUNCTIONS, SPECIAL
from dialogkit.logic.python_known import Known
from dialogkit.logic.python_nodes import FormNodes
from dialogkit.logic.python_scope import Run, Scope
from dialogkit.logic.refusals import refused, wrong_number
from dialogkit.logic.tree import ChoiceName, Column, Function, Items, Minus, Nodes, Operation, Position, Tree
from dialogkit.logic.values import Found, Value, equal, single, to_boolean, to_number
from dialogkit.model.form import Form


def evaluate(tree: Tree, form: Form, row: Row, facts: Facts, at: str) -> Value:
    """The value of a tree that belongs to the node at `at`, in its row.

    Raises:
        NotDecidable: the answers do not decide it, or a phone stops there.
    """
    return single(Compiler(form).compiled(tree, at)(Scope(row, facts)))


class Compiler:
    """Compiles the trees of one form."""

    def __init__(self, form: Form) -> None:
        self.form = form
        self.nodes = FormNodes(form)
        self.lists = Lists(form)

    def compiled(self, tree: Tree, at: str) -> Run:
        """The function that computes a tree of the node at `at`; what is not decidable is raised when it runs."""
        return _Maker(self, at).made(tree)


class _Maker:
    """Compiles the trees of one node: some functions read its own answer."""

    def __init__(self, compiler: Compiler, at: str) -> None:
        self.compiler, self.at = compiler, at
        self.picker = Picker(compiler.form, compiler.nodes, compiler.lists, self.made)

    def made(self, tree: Tree) -> Run:
        """The function of one tree."""
        found: Run
        match tree:
            case Number() | Text() | Column():
                found = _leaf(tree)
            case Nodes() | Items() | ChoiceName() | Position():
                found = self.picker.made(tree)
            case Operation(sign, left, right):
                found = _operation(sign, self.value(left), self.value(right))
            case Minus(of):
                found = _minus(self.value(of))
            case Function(name, arguments):
                found = self.function(name, arguments)
        return found

    def value(self, tree: Tree) -> Callable[[Scope], Value]:
        """The function of a tree that must be one value."""
        quick = self.picker.value(tree) if isinstance(tree, Nodes) else None
        if quick:
            return quick
        run = self.made(tree)
        if isinstance(tree, (Nodes, Items, Function)):
            return lambda scope: single(run(scope))
        return run  # type: ignore[return-value]  # the other trees give one value

    def function(self, name: str, arguments: tuple[Tree, ...]) -> Run:
        """The function of a call; one that cannot be decided refuses only where it is asked."""
        special = self.special(name, arguments)
        if special:
            return special
        if not arguments and name in ("string-length", "normalize-space"):
            arguments = (Nodes(self.at, self.compiler.form.repeat_of(self.at)),)
        known = FUNCTIONS.get(name)
        if known is None:
            return _refusing(wrong_number(name, len(arguments)) if name in SPECIAL else refused(name))
        if not known.fewest <= len(arguments) <= known.most:
            return _refusing(wrong_number(name, len(arguments)))
        return _call(known, tuple((self.made if known.nodes else self.value)(argument) for argument in arguments))

    def special(self, name: str, arguments: tuple[Tree, ...]) -> Run | None:
        """A function that does not compute all its arguments, or that needs its place."""
        match (name, arguments):
            case ("if", (condition, then, other)):
                return _if(self.value(condition), self.made(then), self.made(other))
            case ("coalesce", (first, second)):
                return _coalesce(self.value(first), self.value(second))
            case ("once", (made,)):
                own = self.value(Nodes(self.at, self.compiler.form.repeat_of(self.at)))
                return _once(own, self.value(made))
            case ("version", ()):
                return _constant(self.compiler.form.version)
        return None


def _leaf(tree: Number | Text | Column) -> Run:
    if isinstance(tree, Column):
        return _column(tree.name)
    return _constant(float(tree.digits) if isinstance(tree, Number) else tree.value)


def _constant(value: Value) -> Run:
    return lambda _: value


def _refusing(reason: str) -> Run:
    def run(_: Scope) -> Found:
        raise NotDecidable(reason)

    return run


def _column(name: str) -> Run:
    def run(scope: Scope) -> Value:
        return (scope.item or {}).get(name, "")

    return run


def _call(known: Known, arguments: tuple[Run, ...]) -> Run:
    run = known.run
    if len(arguments) == 1:
        (only,) = arguments
        return lambda scope: run(scope.facts, only(scope))
    return lambda scope: run(scope.facts, *[argument(scope) for argument in arguments])


def _if(condition: Callable[[Scope], Value], then: Run, other: Run) -> Run:
    return lambda scope: then(scope) if to_boolean(condition(scope)) else other(scope)


def _coalesce(first: Callable[[Scope], Value], second: Callable[[Scope], Value]) -> Run:
    def run(scope: Scope) -> Value:
        value = first(scope)
        return second(scope) if value == "" or (isinstance(value, float) and math.isnan(value)) else value

    return run


def _once(own: Callable[[Scope], Value], made: Callable[[Scope], Value]) -> Run:
    def run(scope: Scope) -> Value:
        present = own(scope)
        return made(scope) if present == "" else present

    return run


def _minus(of: Callable[[Scope], Value]) -> Run:
    return lambda scope: -to_number(of(scope))


def _operation(sign: str, left: Callable[[Scope], Value], right: Callable[[Scope], Value]) -> Run:
    if sign == "and":
        return lambda scope: to_boolean(left(scope)) and to_boolean(right(scope))
    if sign == "or":
        return lambda scope: to_boolean(left(scope)) or to_boolean(right(scope))
    if sign == "=":
        return lambda scope: equal(left(scope), right(scope))
    if sign == "!=":
        return lambda scope: not equal(left(scope), right(scope))
    over = _OVER_NUMBERS[sign]
    return lambda scope: over(to_number(left(scope)), to_number(right(scope)))


def _divided(one: float, other: float) -> float:
    if other:
        return one / other
    return math.nan if not one or math.isnan(one) else math.copysign(math.inf, one) * math.copysign(1, other)


def _remainder(one: float, other: float) -> float:
    return math.fmod(one, other) if other and math.isfinite(one) else math.nan


_OVER_NUMBERS: Final[Mapping[str, Callable[[float, float], float | bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "div": _divided,
    "mod": _remainder,
}
