"""A tree of an expression → DuckDB SQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Final

import duckdb

from dialogkit import sql
from dialogkit.logic import functions
from dialogkit.logic.parse import Binary, Call, Name, Negative, Node, NotDecidable, Number, Path, Text, parse
from dialogkit.logic.terms import Reference, Term, boolean, equal, number, of_reference, text

#: What a name means; raises NotDecidable for a name that means nothing here.
Resolve = Callable[[str], Reference]
#: Whether an SQL condition without columns is true; given where every reference is a literal.
Decide = Callable[[str], bool]

#: The day of the pull, in SQL that is compiled once and run on any day.
TODAY: Final = "CAST(getvariable('dialogkit_today') AS DATE)"
_ARITHMETIC: Final = {"+": "+", "-": "-", "*": "*", "div": "/", "mod": "%"}


@dataclass(frozen=True, slots=True)
class Context:
    """Where an expression stands.

    Args:
        resolve: what `${name}` and `.` mean.
        today: SQL of the day that `today()` and `now()` give: that of the pull that brought the batch, never the clock.
        decide: lets `if()` follow only the branch that is taken.
    """

    resolve: Resolve
    today: str
    decide: Decide | None = None

    def compile(self, node: Node) -> Term:
        """The term of a tree.

        Raises:
            NotDecidable: it cannot be said in SQL of stored data.
        """
        if isinstance(node, Text):
            return Term(sql.text(node.value), "text", literal=node.value)
        if isinstance(node, Number):
            return Term(f"CAST({node.digits} AS DOUBLE)", "number")
        if isinstance(node, Name):
            return of_reference(self.resolve(node.name))
        if isinstance(node, Path):
            raise NotDecidable("a path is not read here")
        if isinstance(node, Negative):
            return Term(f"(-{number(self.compile(node.of))})", "number")
        return self._operation(node) if isinstance(node, Binary) else self._call(node)

    def _operation(self, node: Binary) -> Term:
        left, right = self.compile(node.left), self.compile(node.right)
        operator = node.operator
        if operator in ("and", "or"):
            return Term(f"({boolean(left)} {operator.upper()} {boolean(right)})", "boolean")
        if operator == "=":
            return Term(equal(left, right), "boolean")
        if operator == "!=":
            return Term(f"(NOT {equal(left, right)})", "boolean")
        if operator in _ARITHMETIC:
            return Term(f"nullif({number(left)} {_ARITHMETIC[operator]} {number(right)}, 'nan')", "number")
        return Term(f"coalesce({number(left)} {operator} {number(right)}, false)", "boolean")

    def _call(self, node: Call) -> Term:
        if node.function == "if":
            return self._if(node)
        if node.function in ("today", "now"):
            return Term(self.today, "date")
        return functions.call(node.function, [self.compile(argument) for argument in node.arguments])

    def _if(self, node: Call) -> Term:
        if len(node.arguments) != 3:
            raise NotDecidable("if() takes a condition and two values")
        condition = boolean(self.compile(node.arguments[0]))
        if self.decide:
            return self.compile(node.arguments[1 if self.decide(condition) else 2])
        then, otherwise = self.compile(node.arguments[1]), self.compile(node.arguments[2])
        if then.type == otherwise.type and not then.node and not otherwise.node:
            return Term(f"CASE WHEN {condition} THEN {then.sql} ELSE {otherwise.sql} END", then.type)
        if "boolean" in (then.type, otherwise.type):
            raise NotDecidable("if() gives a yes or no in one case and something else in the other")
        if "date" in (then.type, otherwise.type):
            return self._day_or_empty(condition, then, otherwise)
        return Term(f"CASE WHEN {condition} THEN {text(then)} ELSE {text(otherwise)} END", "text")

    @staticmethod
    def _day_or_empty(condition: str, then: Term, otherwise: Term) -> Term:
        """A date in one case and nothing in the other stays a date: its text would not compare as one."""
        sides = ["NULL" if term.literal == "" else term.sql for term in (then, otherwise)]
        if any(term.type != "date" and term.literal != "" for term in (then, otherwise)):
            raise NotDecidable("if() gives a date in one case and something else in the other")
        return Term(f"CASE WHEN {condition} THEN {sides[0]} ELSE {sides[1]} END", "date")


def compile_condition(expression: str, resolve: Resolve) -> str:
    """SQL for whether an expression holds: never NULL. It is run with `run_on` set.

    Raises:
        NotDecidable: see `Context.compile`.
    """
    return boolean(Context(resolve, TODAY).compile(parse(expression)))


@contextmanager
def run_on(db: duckdb.DuckDBPyConnection, today: date) -> Iterator[None]:
    """While conditions run on this connection: `today()` is this day."""
    db.execute(f"SET VARIABLE dialogkit_today = DATE '{today.isoformat()}'")
    try:
        yield
    finally:
        db.execute("RESET VARIABLE dialogkit_today")
