"""Expressions of an XLSForm (XPath 1.0 with `${name}`) → a tree of what is written.

Source of the grammar: ODK XForms specification, section "XPath expressions", and XPath 1.0, section 3. What the names
and paths of a tree mean in a form is told by `bind`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final


class NotDecidable(Exception):  # noqa: N818 - named by what it says, as the errors of architecture.md section 6 are
    """An expression that cannot be decided on stored data. `reason` is for people and holds no answer."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class NeedsPython(NotDecidable):
    """An expression that stored data decides, but not in SQL: `evaluate` computes it row by row."""


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
class Step:
    """One step of a path: a name, `.` or `..`, with the conditions in brackets behind it."""

    name: str
    predicates: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class Path:
    """A path: from the root (`start` is None), or from what `start` gives (`Name(".")`, `current()`, `instance()`)."""

    start: Node | None
    steps: tuple[Step, ...]


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
    |(?P<name>(?:{_NAME}:)?{_NAME}(?!::))
    |(?P<sign>\.\.|//|!=|<=|>=|[()\[\],=<>+\-*|/.])
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
#: How deep a tree may be: what reads, compiles and computes it goes down step by step, and Python ends at a thousand
#: calls. A chain (`a or b or c`) goes down one by an operator, all else two.
_DEEPEST: Final = 300
_TOO_DEEP: Final = "the expression has too many expressions within each other"


def parse(expression: str) -> Node:
    """The tree of an expression.

    Raises:
        NotDecidable: it is not an expression that we can read; the reason says where.
    """
    parser = _Parser(expression)
    try:
        tree = parser.expression(0)
    except RecursionError:
        raise NotDecidable(_TOO_DEEP) from None
    if parser.kind:
        raise parser.unexpected()
    if _is_too_deep(tree):
        raise NotDecidable(_TOO_DEEP)
    return tree


def names_in(tree: Node) -> frozenset[str]:
    """Every name that the tree refers to by `${name}`."""
    return frozenset(node.name for node in nodes_in(tree) if isinstance(node, Name)) - {"."}


def nodes_in(tree: Node) -> Iterator[Node]:
    """The tree and every tree within it."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed(_parts(node)))


def _parts(tree: Node) -> tuple[Node, ...]:
    if isinstance(tree, Call):
        return tree.arguments
    if isinstance(tree, Binary):
        return (tree.left, tree.right)
    if isinstance(tree, Negative):
        return (tree.of,)
    if isinstance(tree, Path):
        conditions = [predicate for step in tree.steps for predicate in step.predicates]
        return (*([tree.start] if tree.start else []), *conditions)
    return ()


def _is_too_deep(tree: Node) -> bool:
    waiting = [(tree, 0)]
    while waiting:
        node, depth = waiting.pop()
        if depth > _DEEPEST:
            return True
        chained = node.left if isinstance(node, Binary) else None
        waiting.extend((part, depth + (1 if part is chained else 2)) for part in _parts(node))
    return False


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

    def sees(self, *signs: str) -> bool:
        """Whether one of these signs stands here."""
        return self.kind == "sign" and self.value in signs

    def take(self, sign: str) -> bool:
        """Step over a sign if it stands here."""
        if not self.sees(sign):
            return False
        self.advance()
        return True

    def expression(self, power: int) -> Node:
        """What binds more strongly than `power`."""
        left = self.operand()
        while (binding := _POWER.get(self.value, 0) if self.kind in ("sign", "name", "call") else 0) > power:
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
            return self.path(inside)
        if self.take("/"):
            return Path(None, tuple(self.steps()))
        if self.kind == "name" or self.sees("..", "*"):
            return Path(Name("."), tuple(self.steps()))
        kind, value = self.kind, self.value
        if kind == "" or (kind == "sign" and value != "."):
            raise self.unexpected()
        self.advance()
        if kind == "call":
            return self.path(Call(value, self.arguments()))
        return self.path(_leaf(kind, value))

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

    def path(self, start: Node) -> Node:
        """What is given, or the path that goes on from it."""
        if self.sees("|"):
            raise NotDecidable("phones do not know the sign | between two sets of nodes")
        conditions = self.predicates()
        if self.take("/"):
            return Path(start, ((Step(".", conditions),) if conditions else ()) + tuple(self.steps()))
        if self.sees("//"):
            raise NotDecidable("phones do not know // in a path")
        return Path(start, (Step(".", conditions),)) if conditions else start

    def steps(self) -> Iterator[Step]:
        """The steps of a path, which stands at its first step."""
        while True:
            if not (self.kind == "name" or self.sees(".", "..", "*")):
                raise self.unexpected()
            name = self.value
            self.advance()
            yield Step(name, self.predicates())
            if not self.take("/"):
                break
        if self.sees("//", "|"):
            raise NotDecidable(f"phones do not know {self.value} between nodes")

    def predicates(self) -> tuple[Node, ...]:
        """The conditions in brackets that stand here."""
        found = []
        while self.take("["):
            found.append(self.expression(0))
            if not self.take("]"):
                raise self.unexpected()
        return tuple(found)


def _leaf(kind: str, value: str) -> Node:
    if kind == "number":
        return Number(value)
    if kind == "text":
        return Text(value[1:-1])
    if kind == "reference":
        return Name(value[2:-1].strip())
    return Name(".")
