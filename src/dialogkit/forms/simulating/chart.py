"""A form as the walk needs it: what each question reads, and an order in which everything read comes first."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from dialogkit.forms.simulating.asked import Asked
from dialogkit.logic.answers import Facts, Row
from dialogkit.logic.evaluate import Compiler
from dialogkit.logic.form_logic import FormLogic, Part
from dialogkit.logic.parse import NotDecidable, Text
from dialogkit.logic.python_scope import Run, Scope
from dialogkit.logic.tree import Operation, Tree, paths_in
from dialogkit.logic.values import Value, single
from dialogkit.model.form import Form, Question, Section

_PARTS: Final[tuple[Part, ...]] = ("relevant", "required", "constraint", "calculation", "choice_filter", "default")


@dataclass(frozen=True, slots=True)
class Item:
    """A question or section at its place in the walk.

    Args:
        path: of it.
        about: the question or section itself.
        repeat: the innermost repeat around it.
        group: the innermost group around it that stands in the same row; empty when there is none.
    """

    path: str
    about: Question | Section
    repeat: str
    group: str


class Chart:
    """The trees of a form and the order of the walk; made once a form.

    Args:
        form: the version.
        logic: its expressions.
        facts: what the XForm says beyond the sheet.
    """

    def __init__(self, form: Form, logic: FormLogic, facts: Asked) -> None:
        self.form, self.logic, self.asked = form, logic, facts
        self._compiler = Compiler(form)
        self._runs: dict[tuple[Tree, str], Run] = {}
        #: Why an expression cannot be decided, by path and part.
        self.undecided: dict[tuple[str, str], str] = {}
        self._trees = {path: dict(self._parts(path)) for path in self._paths()}
        self.order = tuple(self._item(path) for path in self._sorted())
        self.counting = frozenset(
            path for parts in self._trees.values() for path in _read(parts.get("repeat_count")) if path in form.by_path
        )

    def tree(self, path: str, part: Part) -> Tree | None:
        """The tree of an expression; None where there is none, or none that can be decided."""
        return self._trees.get(path, {}).get(part)

    def value(self, tree: Tree, at: str, row: Row, facts: Facts) -> Value:
        """The value of a part of an expression of the node `at`.

        Raises:
            NotDecidable: the answers do not decide it.
        """
        run = self._runs.get((tree, at))
        if run is None:
            run = self._runs[tree, at] = self._compiler.compiled(tree, at)
        return single(run(Scope(row, facts)))

    def relevances(self, path: str) -> Iterator[Tree]:
        """Own relevance and that of every section above."""
        for one in (*(section.path for section in self.form.sections_above(path)), path):
            tree = self.tree(one, "relevant")
            if tree is not None:
                yield tree

    def gate(self, repeat: str) -> bool:
        """Whether the relevance of a repeat is exactly that an answer is yes: then it needs a row (FORM-ROWS)."""
        match self.tree(repeat, "relevant"):
            case Operation("=", _, Text("yes")):
                return True
        return False

    def _paths(self) -> list[str]:
        about: list[Question | Section] = [*self.form.sections, *self.form.questions]
        both = [(one.row, place, one.path) for place, one in enumerate(about)]
        return [path for _, _, path in sorted(both)]

    def _parts(self, path: str) -> Iterator[tuple[Part, Tree]]:
        parts: tuple[Part, ...] = ("relevant", "repeat_count") if path not in self.form.by_path else _PARTS
        for part in parts:
            try:
                tree = self.logic.tree(path, part)
            except NotDecidable as error:
                if part != "default":  # most defaults are plain texts
                    self.undecided[path, part] = error.reason
            else:
                if tree is not None:
                    yield part, tree

    def _item(self, path: str) -> Item:
        about = self.form.by_path.get(path) or next(one for one in self.form.sections if one.path == path)
        repeat = self.form.repeat_of(path)
        above = [
            one.path for one in self.form.sections_above(path) if one.path.startswith(f"{repeat}/" if repeat else "")
        ]
        return Item(path, about, repeat, above[-1] if above else "")

    def _sorted(self) -> Iterator[str]:
        """The order of the form, but for what reads a later answer; circles are cut where the form begins them."""
        place = {path: number for number, path in enumerate(self._trees)}
        waiting = {path: self._reads(path) & place.keys() for path in place}
        readers: dict[str, list[str]] = {}
        for path, reads in waiting.items():
            for one in reads:
                readers.setdefault(one, []).append(path)
        free = [place[path] for path, reads in waiting.items() if not reads]
        heapq.heapify(free)
        names = list(place)
        while waiting:
            path = names[heapq.heappop(free)] if free else min(waiting, key=place.__getitem__)
            if waiting.pop(path, None) is None:
                continue
            yield path
            for reader in readers.get(path, ()):
                if reader in waiting:
                    waiting[reader].discard(path)
                    if not waiting[reader]:
                        heapq.heappush(free, place[reader])

    def _reads(self, path: str) -> set[str]:
        above = path.rpartition("/")[0]
        found = {above} if above else set()
        for tree in self._trees[path].values():
            found |= _read(tree)
        return found - {path}


def _read(tree: Tree | None) -> frozenset[str]:
    return paths_in(tree) if tree is not None else frozenset()


def choice_columns(form: Form, question: Question) -> Mapping[str, Mapping[str, str]]:
    """The columns of each choice of a question by its code, as its filter reads them."""
    return {
        choice.name: {**choice.extra, "name": choice.name} for choice in form.choice_lists.get(question.list_name, ())
    }
