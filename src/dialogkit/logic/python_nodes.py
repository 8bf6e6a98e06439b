"""How the nodes of a form are read: what hides them, and which value their text stands for."""

from __future__ import annotations

from collections.abc import Callable

from dialogkit.logic.answers import KINDS, Facts, Row, read
from dialogkit.logic.values import Value
from dialogkit.model.form import Form, Question

Reader = Callable[[Row, Facts], Value]
Hides = Callable[[Row], bool]


class FormNodes:
    """The nodes of one form; readers are made once."""

    def __init__(self, form: Form) -> None:
        self.form = form
        self._readers: dict[str, Reader] = {}
        self._hides: dict[str, Hides] = {}

    def hides(self, path: str) -> Hides:
        """Whether a node in its row (the row itself for a repeat) is not relevant, by itself or by what holds it."""
        if path not in self._hides:
            self._hides[path] = _hides(self._chain(path))
        return self._hides[path]

    def reader(self, path: str) -> Reader:
        """The value of a node in its row, whether it is relevant or not; `""` for a section."""
        if path not in self._readers:
            question = self.form.by_path.get(path)
            self._readers[path] = _reader(question) if question else lambda _row, _facts: ""
        return self._readers[path]

    def _chain(self, path: str) -> list[frozenset[str]]:
        """For each row from the innermost one outward: what may hide the node there."""
        chain = []
        while True:
            repeat = path if path in self.form.repeats else self.form.repeat_of(path)
            names, above = {path}, path
            while above != repeat:
                above = above.rpartition("/")[0]
                names.add(above)
            chain.append(frozenset(names - {""}))
            if not repeat:
                return chain
            path = repeat.rpartition("/")[0]


def _hides(chain: list[frozenset[str]]) -> Hides:
    def hidden(row: Row) -> bool:
        at: Row | None = row
        for names in chain:
            if at is None:
                return False
            if at.hidden and not at.hidden.isdisjoint(names):
                return True
            at = at.above
        return False

    return hidden


def _reader(question: Question) -> Reader:
    path, kind = question.path, KINDS.get(question.type, "text")

    def value(row: Row, facts: Facts) -> Value:
        if path in row.typed:
            return row.typed[path]
        text = row.values.get(path)
        if not text:
            return ""
        return read(kind, text, facts)

    return value
