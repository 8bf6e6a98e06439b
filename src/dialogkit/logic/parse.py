"""Expressions of an XLSForm (XPath 1.0 with `${name}`) → a typed tree.

Source of the grammar: ODK XForms specification, section "XPath expressions", and XPath 1.0, section 3.
Paths (`../x`, `/data/x`, `current()/.`) are kept as text: what cannot be said in SQL is told apart by `compile`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


class NotDecidable(Exception):  # noqa: N818 - named by what it says, as the errors of architecture.md section 6 are
    """An expression that cannot be decided on stored data. `reason` is for people and holds no answer."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class Number:
    """A number literal, as written."""

    digits: str


@dataclass(frozen=True, slots=True)
class Text:
    """A text literal without its quotation marks."""

    value: str


@dataclass(frozen=True, slots=True)
class Name:
    """A reference `${name}`; `.` is the question itself."""

    name: str


@dataclass(frozen=True, slots=True)
class Path:
    """A path, as written."""

    path: str


@dataclass(frozen=True, slots=True)
class Call:
    """A function with its arguments."""

    function: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Binary:
    """An operator between two expressions."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Negative:
    """A minus before an expression."""

    of: Node


Node = Number | Text | Name | Path | Call | Binary | Negative

_NAME: Final = r"[^\W\d][\w.\-]*"
_TOKEN: Final = re.compile(
    rf"""\s*(?:
    (?P<number>\d+(?:\.\d*)?|\.\d+)
    |(?P<text>"[^"]*"|'[^']*')
    |(?P<reference>\$\{{\s*(?:last-saved\#)?{_NAME}\s*\}})
    |(?P<call>(?:{_NAME}:)?{_NAME}(?=\s*\())
    |(?P<path>(?:\.\.|/{{1,2}}|@|{_NAME}(?:::?{_NAME})?)(?:/{{0,2}}(?:\.\.|\.|@?{_NAME}(?:::?{_NAME})?))*|\./{{1,2}}[\w./\-]+)
    |(?P<dot>\.)
    |(?P<sign>!=|<=|>=|[()\[\],=<>+\-*|/])
    )""",
    re.VERBOSE,
)
_POWER: Final[Mapping[str, int]] = {
    "or": 1,
    "and": 2,
    **dict.fromkeys(("=", "!="), 3),
    **dict.fromkeys(("<", "<=", ">", ">="), 4),
    **dict.fromkeys(("+", "-"), 5),
    **dict.fromkeys(("*", "div", "mod"), 6),
}
_UNARY: Final = 7


def parse(expression: str) -> Node:
    """The tree of an expression.

    Raises:
        NotDecidable: it is not an expression that we can read; the reason says where.
    """
    parser = _Parser(expression)
    tree = parser.expression(0)
    if parser.kind:
        raise parser.unexpected()
    return tree


def names_in(tree: Node) -> frozenset[str]:
    """Every name that the tree refers to, without `.`."""
    if isinstance(tree, Name):
        return frozenset({tree.name} - {"."})
    parts: tuple[Node, ...] = ()
    if isinstance(tree, Call):
        parts = tree.arguments
    elif isinstance(tree, Binary):
        parts = (tree.left, tree.right)
    elif isinstance(tree, Negative):
        parts = (tree.of,)
    return frozenset().union(*(names_in(part) for part in parts))


class _Parser:
    """A Pratt parser: each operator binds as strongly as `_POWER` says, to the left."""

    def __init__(self, expression: str) -> None:
        self.text, self.end = expression, 0
        self.kind, self.value, self.start = "", "", 0
        self.advance()

    def advance(self) -> None:
        """Read the next token; the kind is `""` at the end."""
        self.start = self.end
        match = _TOKEN.match(self.text, self.end)
        if match:
            self.kind, self.value, self.end = match.lastgroup or "", match.group(match.lastgroup or 0), match.end()
        elif self.text[self.end :].strip():
            raise self.unexpected()
        else:
            self.kind, self.value = "", ""

    def unexpected(self) -> NotDecidable:
        """The refusal of what stands at the present place."""
        return NotDecidable(f"the expression cannot be read at character {self.start + 1}")

    def take(self, sign: str) -> bool:
        """Step over a sign if it stands here."""
        if self.kind != "sign" or self.value != sign:
            return False
        self.advance()
        return True

    def expression(self, power: int) -> Node:
        """What binds more strongly than `power`."""
        left = self.operand()
        while (binding := _POWER.get(self.value, 0) if self.kind in ("sign", "path", "call") else 0) > power:
            operator = self.value
            self.advance()
            left = Binary(operator, left, self.expression(binding))
        return left

    def operand(self) -> Node:
        """A literal, a reference, a call, a path, a minus or something in brackets."""
        if self.take("-"):
            return Negative(self.expression(_UNARY))
        if self.take("("):
            inside = self.expression(0)
            if not self.take(")"):
                raise self.unexpected()
            return self.followed(inside)
        kind, value = self.kind, self.value
        if kind in ("", "sign"):
            raise self.unexpected()
        self.advance()
        if kind == "call":
            return self.followed(Call(value, self.arguments()))
        return self.followed(_leaf(kind, value))

    def arguments(self) -> tuple[Node, ...]:
        """What stands between the brackets of a call."""
        self.advance()
        if self.take(")"):
            return ()
        found = [self.expression(0)]
        while self.take(","):
            found.append(self.expression(0))
        if not self.take(")"):
            raise self.unexpected()
        return tuple(found)

    def followed(self, node: Node) -> Node:
        """The node, unless a step or a filter follows it: those are not read."""
        if (self.kind == "path" and self.value.startswith("/")) or (self.kind == "sign" and self.value in ("[", "|")):
            raise NotDecidable("it takes a path or a filter of nodes, which is not read here")
        return node


def _leaf(kind: str, value: str) -> Node:
    if kind == "number":
        return Number(value)
    if kind == "text":
        return Text(value[1:-1])
    if kind == "reference":
        name = value[2:-1].strip()
        return Path(name) if "#" in name else Name(name)
    return Name(".") if kind == "dot" else Path(value)
