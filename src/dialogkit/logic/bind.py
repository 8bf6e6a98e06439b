"""What the names and paths of an expression mean at their place in a form.

Sources: pyxform's reading of `${name}` (relative to the innermost repeat that both stand in), and how JavaRosa puts a
path into context: an absolute path keeps the present row of every repeat around the question; a path that climbs out of
a repeat (`../../rep/x`) means all its rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

from dialogkit.logic import parse as written
from dialogkit.logic.bind_steps import NotThere, around, at_place, judging, source_of, walked
from dialogkit.logic.parse import NotDecidable, Number, Text, parse
from dialogkit.logic.tree import (
    ChoiceName,
    Column,
    Function,
    Items,
    Minus,
    Nodes,
    Operation,
    Operator,
    Position,
    Tree,
)
from dialogkit.model.form import Form, Question


def bind(expression: str, form: Form, at: str) -> Tree:
    """The typed tree of an expression.

    Args:
        expression: as written in the sheet.
        form: the version of the form.
        at: path of the question or section that it belongs to.

    Raises:
        NotDecidable: it cannot be read, or a name or path in it means nothing that a submission stores.
    """
    return _Binder(form, at).tree(parse(expression))


def bind_filter(question: Question, form: Form) -> Tree:
    """The typed tree of a question's choice filter, in which a plain name is a column of the choice (`Column`).

    Raises:
        NotDecidable: as `bind`.
    """
    return _Binder(form, question.path, items=True).tree(parse(question.choice_filter))


@dataclass(frozen=True)
class _Binder:
    """Where an expression stands.

    Args:
        form, at: as in `bind`.
        row: inside a condition on rows of a repeat: the path of that repeat; empty otherwise.
        items: inside a condition on the rows of a list or file.
    """

    form: Form
    at: str
    row: str = ""
    items: bool = False

    def tree(self, node: written.Node) -> Tree:
        """The typed tree of a node."""
        found: Tree
        match node:
            case Number() | Text():
                found = node
            case written.Name("."):
                found = self._here()
            case written.Name(name):
                found = self._named(name)
            case written.Negative(of):
                found = Minus(self.tree(of))
            case written.Binary(operator, left, right):
                found = Operation(cast("Operator", operator), self.tree(left), self.tree(right))
            case written.Path(start, steps):
                try:
                    found = self._path(list(steps), start)
                except NotThere:
                    found = Text("")
            case written.Call():
                found = self._call(node)
        return found

    def _here(self) -> Nodes:
        if self.items:
            raise NotDecidable("a condition on choices takes the choice itself as a value")
        if self.row:
            return Nodes(self.row, self.row, inner=True)
        return Nodes(self.at, self.at if self.at in self.form.repeats else self.form.repeat_of(self.at))

    def _named(self, name: str, limited: bool = False) -> Nodes:
        """`${name}`: relative to the innermost repeat around both; `limited` where a condition in brackets follows."""
        if "#" in name:
            raise NotDecidable(f"{name} is an answer of the submission before, which is not stored with this one")
        paths = [question.path for question in self.form.named(name)]
        paths += [section.path for section in self.form.sections if section.name == name]
        if len(paths) != 1:
            raise NotDecidable(f"{name} is not the name of one question")
        return self._nodes(paths[0], self._shared(paths[0]) or self._itself(paths[0], limited))

    def _itself(self, path: str, limited: bool) -> str:
        """A repeat around the question, written as a path from the root, means its present row unless it is limited."""
        return path if path in around(self.form, self.at) and not limited else ""

    def _shared(self, path: str) -> str:
        """The innermost repeat around both; for rows of a repeat the one around them, so that all are meant."""
        here = around(self.form, self.at)
        return next((repeat for repeat in reversed(around(self.form, path)) if repeat in here), "")

    def _nodes(self, path: str, within: str) -> Nodes:
        repeats = [repeat for repeat in around(self.form, path) if repeat.startswith(f"{within}/" if within else "")]
        if path in self.form.repeats and path != within:
            repeats.append(path)
        return Nodes(path, within, tuple(repeats))

    def _path(self, steps: list[written.Step], start: written.Node | None) -> Tree:
        match start:
            case written.Call("instance", (Text(source),)):
                return self._items(source, steps)
            case written.Call("current", ()):
                return _Binder(self.form, self.at)._relative(steps)
            case written.Name("."):
                return self._column(steps) if self.items else self._relative(steps)
            case written.Name(name):
                return self._walk(self._named(name, bool(steps[0].predicates)), steps)
            case written.Path(above, first):
                return self._path([*first, *steps], above)
            case None:
                return self._absolute(steps)
        raise NotDecidable("a path goes on from something that is not a node")

    def _column(self, steps: Sequence[written.Step]) -> Column:
        """A plain name in a condition on choices."""
        named = [step.name for step in steps if step.name != "."]
        if len(named) != 1 or named[0] in ("..", "*") or any(step.predicates for step in steps):
            raise NotDecidable("a condition on choices takes a path that is not a column")
        return Column(named[0])

    def _relative(self, steps: list[written.Step]) -> Nodes:
        """From the question itself, or from the row that a condition judges."""
        path = self.row or self.at
        while steps and steps[0].name in ("..", "."):
            if steps[0].predicates:
                break
            path = path.rpartition("/")[0] if steps.pop(0).name == ".." else path
        within = path if path in self.form.repeats else self.form.repeat_of(path)
        return self._walk(replace(Nodes(path, within), inner=bool(self.row)), steps)

    def _absolute(self, steps: list[written.Step]) -> Nodes:
        """From the root: it keeps the present row of every repeat around the question, but for one with a condition."""
        path = walked("", steps[1:])
        within = self._itself(path, limited=False) or self._shared(path)
        limited = {walked("", steps[1 : place + 1]) for place, step in enumerate(steps) if step.predicates}
        while within and any(within == one or within.startswith(f"{one}/") for one in limited):
            within = self.form.repeat_of(within)
        return self._filtered(self._nodes(path, within), "", steps[1:])

    def _walk(self, base: Nodes, steps: Sequence[written.Step]) -> Nodes:
        """Further steps from nodes."""
        path = walked(base.path, steps)
        if not steps:
            return base
        within = base.within
        if ".." in [step.name for step in steps]:
            within = within if path.startswith(f"{within}/") or not within else self.form.repeat_of(path)
        nodes = self._nodes(path, within)
        return self._filtered(replace(nodes, filters=base.filters, inner=base.inner), base.path, steps)

    def _filtered(self, nodes: Nodes, path: str, steps: Sequence[written.Step]) -> Nodes:
        """The nodes with the conditions of each step; a condition belongs to the rows of a repeat."""
        filters = list(nodes.filters)
        for step in steps:
            path = walked(path, [step])
            for predicate in step.predicates:
                if path not in nodes.repeats:
                    raise NotDecidable("a condition in brackets stands behind something that is no repeat")
                condition = _Binder(self.form, self.at, row=path).tree(predicate)
                filters.append((path, judging(condition)))
        self._known(nodes.path)
        return replace(nodes, filters=tuple(filters))

    def _known(self, path: str) -> None:
        sections = {section.path for section in self.form.sections}
        if path and path not in self.form.by_path and path not in sections:
            raise NotThere(f"the path {path} is not in the form")

    def _items(self, source: str, steps: list[written.Step]) -> Items:
        """`instance('…')/root/item[…]/column`."""
        if source == "last-saved" or source.startswith("__last-saved"):
            raise NotDecidable("answers of the submission before are not stored with this one")
        names = [step.name for step in steps]
        if (
            len(names) not in (2, 3)
            or names[1] != "item"
            or steps[0].predicates
            or any(s.predicates for s in steps[2:])
        ):
            raise NotDecidable("a path into a list is not root/item[…]/column")
        inside = _Binder(self.form, self.at, items=True)
        conditions = [inside.tree(predicate) for predicate in steps[1].predicates]
        filters = [judging(one) for one in conditions]
        kind, named = source_of(self.form, source)
        return Items(kind, named, names[2] if len(names) == 3 else "", tuple(filters))

    def _call(self, node: written.Call) -> Tree:
        match node.function:
            case "current":
                return Nodes(self.at, self.form.repeat_of(self.at))
            case "position":
                return self._position(node.arguments)
            case "indexed-repeat":
                return self._indexed(node.arguments)
            case "jr:choice-name":
                return self._choice_name(node.arguments)
            case "pulldata":
                return self._pulled(node.arguments)
            case "instance":
                raise NotDecidable("a list is used as if it were one value")
        return Function(node.function, tuple(self.tree(argument) for argument in node.arguments))

    def _position(self, arguments: tuple[written.Node, ...]) -> Position:
        if not arguments:
            if not (self.row or self.items):
                raise NotDecidable("position() without a node means something in a condition only")
            return Position()
        nodes = self.tree(arguments[0])
        if not isinstance(nodes, Nodes) or nodes.path not in self.form.repeats or not nodes.is_single:
            raise NotDecidable("position() asks for the place of something that is not the present row of a repeat")
        return Position(nodes.path, nodes.inner)

    def _indexed(self, arguments: tuple[written.Node, ...]) -> Nodes:
        """`indexed-repeat(${x}, ${rep}, 2, …)`: the question in the row of that place."""
        if len(arguments) not in (3, 5, 7):
            raise NotDecidable("indexed-repeat() takes a question and up to three repeats with a place each")
        target = self.tree(arguments[0])
        pairs = zip(arguments[1::2], arguments[2::2], strict=True)
        places = {self._repeat(repeat): self.tree(place) for repeat, place in pairs}
        if not isinstance(target, Nodes):
            raise NotDecidable("indexed-repeat() does not name a question")
        if not places.keys() <= set(around(self.form, target.path)):
            raise NotDecidable("indexed-repeat() names a repeat that its question is not in")
        within = self._shared(target.path)
        while within and any(within == one or within.startswith(f"{one}/") for one in places):
            within = self.form.repeat_of(within)
        filters = tuple((repeat, at_place(place)) for repeat, place in places.items())
        return replace(self._nodes(target.path, within), filters=filters, inner=target.inner)

    def _repeat(self, node: written.Node) -> str:
        nodes = self.tree(node)
        if not isinstance(nodes, Nodes) or nodes.path not in self.form.repeats:
            raise NotDecidable("indexed-repeat() names something that is no repeat")
        return nodes.path

    def _choice_name(self, arguments: tuple[written.Node, ...]) -> ChoiceName:
        match arguments:
            case (value, Text(of)):
                named = self.tree(parse(of.strip()))
            case _:
                raise NotDecidable("jr:choice-name() takes a choice and the name of a question in quotation marks")
        if not isinstance(named, Nodes) or named.path not in self.form.by_path:
            raise NotDecidable("jr:choice-name() does not name a question")
        return ChoiceName(self.tree(value), named.path)

    def _pulled(self, arguments: tuple[written.Node, ...]) -> Items:
        """`pulldata('file', 'column', 'key column', key)`: the column of the first row with this key."""
        match arguments:
            case (Text(file), Text(column), Text(key), value):
                kind, named = source_of(self.form, file)
                same = Operation("=", Column(key), Function("string", (self.tree(value),)))
                return Items(kind, named, column, (same, Operation("=", Position(), Number("1"))))
        raise NotDecidable("pulldata() takes a file, two columns and a key, the first three written out")
