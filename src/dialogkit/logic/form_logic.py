"""The expressions of one form, parsed, bound and compiled once, and the order in which they are computed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property, partial
from graphlib import CycleError, TopologicalSorter
from typing import Final, Literal

from dialogkit.logic.answers import KINDS, Facts, Row
from dialogkit.logic.bind import bind, bind_filter
from dialogkit.logic.evaluate import Compiler
from dialogkit.logic.lists import code_column
from dialogkit.logic.parse import NotDecidable
from dialogkit.logic.picking import Picker, Rows
from dialogkit.logic.python_scope import Run, Scope
from dialogkit.logic.tree import ChoiceName, Function, Tree, paths_in, trees_in
from dialogkit.logic.values import Value, counted, single, stored, to_boolean
from dialogkit.model.form import Form, Question, Section

Part = Literal["relevant", "required", "constraint", "calculation", "choice_filter", "repeat_count", "default"]
#: Of an expression: the path of the node that it belongs to, and which of its expressions it is.
Key = tuple[str, Part]
_YES: Final[Tree] = Function("true", ())


class FormLogic:
    """The logic of one version of a form. Keep one for many submissions; it is not for several threads at once."""

    def __init__(self, form: Form) -> None:
        self.form = form
        self._compiler = Compiler(form)
        self._trees: dict[Key, Tree | NotDecidable | None] = {}
        self._runs: dict[Key, Run] = {}
        self._offered: dict[str, Rows | NotDecidable] = {}
        self._sections = {section.path: section for section in form.sections}

    def expression(self, path: str, part: Part) -> str:
        """An expression as written; empty where there is none.

        A calculation with a trigger is made when that answer changes, so it is none here.
        """
        of: Question | Section | None = self._sections.get(path) or self.form.by_path.get(path)
        if isinstance(of, Question) and part == "calculation" and of.trigger:
            return ""
        return str(getattr(of, part, ""))

    def tree(self, path: str, part: Part) -> Tree | None:
        """The typed tree of an expression; None where there is none.

        Raises:
            NotDecidable: it cannot be read; asked again, it says so again.
        """
        if (path, part) not in self._trees:
            self._trees[path, part] = self._bound(path, part)
        found = self._trees[path, part]
        if isinstance(found, NotDecidable):
            raise found
        return found

    def _bound(self, path: str, part: Part) -> Tree | NotDecidable | None:
        written = self.expression(path, part)
        try:
            if not written:
                return None
            if part == "required" and written == "yes":
                return _YES
            return (
                bind_filter(self.form.by_path[path], self.form)
                if part == "choice_filter"
                else bind(written, self.form, path)
            )
        except NotDecidable as refusal:
            return refusal

    def run(self, path: str, part: Part, row: Row, facts: Facts) -> Value:
        """The value of an expression in the row of its node.

        Raises:
            NotDecidable: there is none, or the answers do not decide it, or a phone stops there with an error.
        """
        run = self._runs.get((path, part))
        if run is None:
            tree = self.tree(path, part)
            if tree is None:
                raise NotDecidable("there is no such expression")
            run = self._runs[path, part] = self._compiler.compiled(tree, path)
        return single(run(Scope(row, facts)))

    def true(self, path: str, part: Part, row: Row, facts: Facts) -> bool:
        """Whether an expression holds."""
        return to_boolean(self.run(path, part, row, facts))

    def relevant(self, path: str, row: Row, facts: Facts) -> bool:
        """Whether the own condition of a node holds; true where it has none."""
        return not self.expression(path, "relevant") or self.true(path, "relevant", row, facts)

    def hidden(self, path: str, row: Row) -> bool:
        """Whether a node is not relevant, by itself or by what holds it, as `settle` last found."""
        return self._compiler.nodes.hides(path)(row)

    def required(self, path: str, row: Row, facts: Facts) -> bool:
        """Whether an answer is required."""
        return bool(self.expression(path, "required")) and self.true(path, "required", row, facts)

    def constraint(self, path: str, row: Row, facts: Facts, value: str | None = None) -> bool:
        """Whether an answer meets the constraint; true where there is none, and for an empty answer.

        Args:
            path: of the question.
            row: of it.
            facts: what is known beside the answers.
            value: the answer that is tried; None: the one in the row.
        """
        if value is None:
            filled = self.value(path, row, facts) != ""
            return not filled or not self.expression(path, "constraint") or self.true(path, "constraint", row, facts)
        before = row.values.get(path, "")
        row.values[path] = value
        try:
            return self.constraint(path, row, facts)
        finally:
            row.values[path] = before

    def value(self, path: str, row: Row, facts: Facts) -> Value:
        """What a phone reads from an answer; `""` where it reads nothing."""
        return self._compiler.nodes.reader(path)(row, facts)

    def calculated(self, path: str, row: Row, facts: Facts) -> tuple[str, Value]:
        """The text that a phone stores for a calculation, and the value that others read."""
        kind = KINDS.get(self.form.by_path[path].type, "text")
        return stored(self.run(path, "calculation", row, facts), kind)

    def choices(self, path: str, row: Row, facts: Facts) -> list[str]:
        """The codes that the (filtered) list or file of a select offers, in its order.

        Raises:
            NotDecidable: its choices are not a list or file of the form, or the file is not here.
        """
        found = self._offered.get(path)
        if found is None:
            found = self._offered[path] = self._offering(path)
        if isinstance(found, NotDecidable):
            raise found
        column = code_column(self.form.by_path[path])
        rows = found(Scope(row, facts))
        if rows and column not in rows[0]:
            raise NotDecidable(f"the file has no column {column}")
        return [entry.get(column, "") for entry in rows]

    def _offering(self, path: str) -> Rows | NotDecidable:
        compiler = self._compiler
        picker = Picker(self.form, compiler.nodes, compiler.lists, partial(compiler.compiled, at=path))
        try:
            return picker.offered(self.form.by_path[path])
        except NotDecidable as refusal:
            return refusal

    def count(self, repeat: str, above: Row, facts: Facts) -> int | None:
        """How many rows a repeat should have in the row above it; None where nothing says so."""
        if not self.expression(repeat, "repeat_count"):
            return None
        _, value = stored(self.run(repeat, "repeat_count", above, facts), "text")
        return None if value == "" else counted(value)

    @cached_property
    def order(self) -> tuple[Key, ...]:
        """Relevance and calculations, each after what it reads; as in the form where some need each other."""
        graph: TopologicalSorter[Key] = TopologicalSorter()
        for place in self._computed:
            graph.add(place, *sorted(self._before(place)))
        try:
            return tuple(place for place in graph.static_order() if place in self._computed)
        except CycleError:
            return tuple(self._computed)

    @cached_property
    def _computed(self) -> Mapping[Key, None]:
        nodes: list[Section | Question] = [*self.form.sections, *self.form.questions]
        parts: tuple[Part, ...] = ("relevant", "calculation")
        return {(node.path, part): None for node in nodes for part in parts if self.expression(node.path, part)}

    def _before(self, place: Key) -> set[Key]:
        """What must be computed before an expression: the calculations that it reads, and what hides what it reads."""
        try:
            tree = self.tree(*place)
        except NotDecidable:
            return set()
        found: set[Key] = set()
        for path in set(self._read(tree)) if tree else ():
            found |= {one for one in self._of_path(path) if one in self._computed}
        return found - {place}

    def _of_path(self, path: str) -> Iterator[Key]:
        yield path, "calculation"
        while path:
            yield path, "relevant"
            path = path.rpartition("/")[0]

    def _read(self, tree: Tree) -> Iterator[str]:
        yield from paths_in(tree)
        for part in trees_in(tree):
            if isinstance(part, ChoiceName) and self.expression(part.path, "choice_filter"):
                try:
                    inner = self.tree(part.path, "choice_filter")
                except NotDecidable:
                    continue
                yield from paths_in(inner) if inner else ()
