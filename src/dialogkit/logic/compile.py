"""A typed tree → DuckDB SQL over the rows of a staged table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final

import duckdb

from dialogkit.logic.bind import bind
from dialogkit.logic.parse import NeedsPython, NotDecidable, Number, Text
from dialogkit.logic.sql_choices import items_set, label_of, looked_up
from dialogkit.logic.sql_compared import compare, equal
from dialogkit.logic.sql_nodes import Many, one_of, read
from dialogkit.logic.sql_scope import Scope
from dialogkit.logic.sql_special import SPECIAL, over_sets, over_values
from dialogkit.logic.terms import Term, boolean, number, number_literal, text_literal
from dialogkit.logic.tree import ChoiceName, Column, Function, Items, Minus, Nodes, Operation, Position, Tree

#: The day of the pull, in SQL that is compiled once and run on any day.
TODAY: Final = "CAST(getvariable('dialogkit_today') AS DATE)"
#: DuckDB plans one statement with many subqueries in a time that doubles with each few of them.
_MOST_SUBQUERIES: Final = 8
_LONGEST: Final = 60_000
_ARITHMETIC: Final[Mapping[str, str]] = {"+": "+", "-": "-", "*": "*", "div": "/", "mod": "%"}
#: A list has one row of a code, and a phone takes the first row of a file.
_FIRST: Final = Operation("=", Position(), Number("1"))


def compile_tree(tree: Tree, scope: Scope, at: str = "") -> Term:
    """The term of a bound tree.

    Args:
        tree: of an expression.
        scope: the rows that it is judged on.
        at: path of the question that it belongs to, for what reads its own stored answer (`once()`).

    Raises:
        NotDecidable: stored data cannot decide it.
        NeedsPython: SQL cannot say it.
    """
    found = Place(scope, at).term(tree)
    parts = [found, *(one for _, one in found.cases)]
    if sum(len(part.sql) for part in parts) > _LONGEST:
        raise NeedsPython("the expression is too long for SQL")
    if sum(part.sql.count("(SELECT ") for part in parts) > _MOST_SUBQUERIES:
        raise NeedsPython("it reads the rows of repeats too often for SQL")
    return found


def condition(tree: Tree, scope: Scope, at: str = "") -> str:
    """SQL for whether an expression holds: never NULL.

    Raises: as `compile_tree`.
    """
    return boolean(compile_tree(tree, scope, at))


def compile_condition(expression: str, scope: Scope, at: str | None = None) -> str:
    """SQL for whether an expression as written holds: never NULL.

    Args:
        expression: as in a form.
        scope: the rows that it is judged on.
        at: the question or section that it belongs to; None for the rows themselves.

    Raises: as `compile_tree`.
    """
    return condition(bind(expression, scope.form, scope.at if at is None else at), scope, at or "")


@contextmanager
def run_on(db: duckdb.DuckDBPyConnection, today: date) -> Iterator[None]:
    """While conditions run on this connection: `TODAY` is this day."""
    db.execute(f"SET VARIABLE dialogkit_today = DATE '{today.isoformat()}'")
    try:
        yield
    finally:
        db.execute("RESET VARIABLE dialogkit_today")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a tree is compiled: in the rows of a scope, or inside a condition on other rows.

    Args:
        scope, at: as in `compile_tree`.
        rows: inside a condition: the aliases of the rows that it judges, by repeat.
        item: inside a condition on a list: its columns in SQL, and the place of its row.
        counted: whether the rows that a condition judges are all rows, so that their place is the stored one.
        level: how deep conditions are nested.
    """

    scope: Scope
    at: str = ""
    rows: Mapping[str, str] = field(default_factory=dict)
    item: Mapping[str, str] | None = None
    counted: bool = True
    level: int = 0

    def term(self, tree: Tree) -> Term:
        """The term of a tree."""
        match tree:
            case Text(value):
                return text_literal(value)
            case Number(digits):
                return number_literal(float(digits))
            case Minus(of):
                return self._minus(self.term(of))
            case Operation():
                return self._operation(tree)
            case Function():
                return self._function(tree)
            case _:
                return self._read(tree)

    def _read(self, tree: Tree) -> Term:
        """What is read from rows and lists."""
        match tree:
            case Nodes() if tree.is_single:
                return read(self.scope, tree.path, self.alias(tree))
            case Items():
                return self._item(tree)
            case Column(name):
                return self._column(name)
            case Position():
                return self._position(tree)
            case ChoiceName(value, path):
                return label_of(self, value, path)
        many = self.many(tree)
        if many is None:
            raise NotDecidable("this is not one value")
        return one_of(many)

    def alias(self, nodes: Nodes) -> str:
        """The alias of the row that a single node stands in."""
        form = self.scope.form
        repeat = nodes.path if nodes.path in form.repeats else form.repeat_of(nodes.path)
        if nodes.inner and repeat in self.rows:
            return self.rows[repeat]
        return self.scope.alias(repeat)

    def many(self, tree: Tree) -> Many | None:
        """The set of nodes that a tree is; None where it is one value."""
        if isinstance(tree, Items):
            return items_set(self, tree)
        if isinstance(tree, Nodes) and tree.repeats:
            return self._nodes(tree)
        return None

    def _nodes(self, nodes: Nodes) -> Many:
        """The rows of the repeats that are stepped into, joined from outside in."""
        start = self.rows.get(nodes.within) if nodes.inner else None
        above = start or self.scope.alias(nodes.within)
        aliases = dict(self.rows) if nodes.inner else {}
        source, where, order, last = [], [], [], ""
        for depth, repeat in enumerate(nodes.repeats):
            name = f"q{self.level}_{depth}"
            relation = f"{self.scope.relation(repeat)} {name}"
            outer = last or above
            on = [f"{name}._submission_id = {outer}._submission_id"]
            if last or nodes.within:
                on.append(f"{name}._parent_row = {outer}._row")
            source.append(f"JOIN {relation} ON {' AND '.join(on)}" if last else relation)
            where += [] if last else on
            order.append(f"{name}._position")
            aliases[repeat] = last = name
        where += self._conditions(nodes, aliases)
        return Many(
            element=lambda: read(self.scope, nodes.path, last),
            source=" ".join(source),
            where=where,
            order=order,
            conditional=self._is_conditional(nodes),
        )

    def _is_conditional(self, nodes: Nodes) -> bool:
        """Whether a question may be not relevant in a relevant row of the innermost repeat that is stepped into."""
        form, repeat = self.scope.form, nodes.repeats[-1]
        if nodes.path == repeat:
            return False
        inside = [section for section in form.sections_above(nodes.path) if section.path.startswith(f"{repeat}/")]
        own = form.by_path.get(nodes.path)
        return any(section.relevant.strip() for section in inside) or bool(own and own.relevant.strip())

    def _conditions(self, nodes: Nodes, aliases: Mapping[str, str]) -> Iterator[str]:
        judged: set[str] = set()
        for repeat, tree in nodes.filters:
            if repeat not in nodes.repeats:
                raise NeedsPython("a condition stands behind a repeat that is around the question")
            inside = {**aliases, "": self.scope.alias(""), ".": aliases[repeat]}
            place = replace(self, rows=inside, item=None, counted=repeat not in judged, level=self.level + 1)
            yield boolean(place.term(tree))
            judged.add(repeat)

    def _item(self, items: Items) -> Term:
        if items.filters and items.filters[-1] == _FIRST:
            items = replace(items, filters=items.filters[:-1])
        quick = looked_up(self, items)
        return quick or one_of(items_set(self, items), first=True)

    def _column(self, name: str) -> Term:
        if self.item is None or name not in self.item:
            raise NotDecidable(f"the list has no column {name}")
        value = self.item[name]
        return Term(value, "text", raw=value)

    def _position(self, tree: Position) -> Term:
        if tree.repeat:
            alias = self.rows.get(tree.repeat, "") if tree.inner else ""
            place = f"{alias or self.scope.alias(tree.repeat)}._position"
        elif not self.counted:
            raise NeedsPython("a place is counted in what another condition has left")
        else:
            place = self.item["#"] if self.item else f"{self.rows['.']}._position"
        return Term(place, "number", whole=True, finite=True)

    @staticmethod
    def _minus(term: Term) -> Term:
        if term.whole:
            return Term(f"(-{term.sql})", "number", whole=True, finite=True)
        return Term(f"(-{number(term)})", "number", finite=term.finite)

    def _operation(self, tree: Operation) -> Term:
        left, right = self.term(tree.left), self.term(tree.right)
        operator = tree.operator
        if operator in ("and", "or"):
            return Term(f"({boolean(left)} {operator.upper()} {boolean(right)})", "boolean")
        if operator == "=":
            return Term(equal(left, right), "boolean")
        if operator == "!=":
            return Term(f"(NOT {equal(left, right)})", "boolean")
        if operator in _ARITHMETIC:
            return _calculated(operator, left, right)
        return Term(compare(operator, left, right), "boolean")

    def _function(self, tree: Function) -> Term:
        special = SPECIAL.get(tree.name)
        return special(self, tree) if special else over_sets(self, tree) or over_values(self, tree)


def _calculated(operator: str, left: Term, right: Term) -> Term:
    value = f"({number(left)} {_ARITHMETIC[operator]} {number(right)})"
    known = [one.finite or one.type in ("text", "date", "boolean") for one in (left, right)]
    over = operator in ("div", "mod")
    if all(known) and (not over or (right.literal is not None and number(right) not in ("CAST(0 AS DOUBLE)", "0"))):
        return Term(value, "number", finite=True)
    return Term(f"nullif({value}, 'nan')", "number", finite=operator == "mod")
