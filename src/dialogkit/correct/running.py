"""The answers of one submission while new entries about it are judged one after another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from dialogkit.correct.questions import Questions
from dialogkit.correct.replay import Cell, find_cell, in_force, new_text, replay
from dialogkit.model.correction import Entry


class Running:
    """What a submission says after the entries so far; an entry more is not a replay of all before it.

    Args:
        line: canonical line of the submission as the source has it now; neither refused, deleted nor sealed.
        entries: about it, oldest first.
        questions: of the form.
    """

    def __init__(self, line: Mapping[str, Any], entries: Iterable[Entry], questions: Questions) -> None:
        self.line, self._questions = line, questions
        self._entries = list(entries)
        self._ids = {entry.id for entry in self._entries}
        self._cells: dict[tuple[str, str], Cell | None] = {}
        self._texts: dict[tuple[int, str], str] = {}
        self._removed = False
        self._is_behind = True
        self._corrected: Mapping[str, Any] | None = None

    def __contains__(self, entry_id: object) -> bool:
        return entry_id in self._ids

    def add(self, entry: Entry) -> None:
        """One more entry about it."""
        self._entries.append(entry)
        self._ids.add(entry.id)
        self._corrected = None
        if entry.undoes:
            self._is_behind = True
        elif entry.changes and not self._is_behind:
            self._make(entry)

    def cell(self, question: str, row: str) -> Cell | None:
        """Where an answer stands at the source."""
        key = (question, row)
        if key not in self._cells:
            self._cells[key] = find_cell(self.line, question, row, self._questions)
        return self._cells[key]

    def present(self, cell: Cell) -> str:
        """What the answer of a cell is with the entries so far; as `replay` has it."""
        if self._is_behind:
            self._texts, self._removed, self._is_behind = {}, False, False
            for entry in in_force(self._entries):
                self._make(entry)
        return "" if self._removed else self._texts.get((id(cell.row), cell.path), cell.text)

    def corrected(self) -> Mapping[str, Any]:
        """Its line with the entries so far."""
        if self._corrected is None:
            self._corrected = replay(self.line, self._entries, self._questions).line
        return self._corrected

    def _make(self, entry: Entry) -> None:
        if entry.change_type == "remove_survey":
            self._removed = True
            return
        cell = self.cell(entry.question, entry.row)
        if cell is None or self._questions.is_protected(cell.path):
            return
        place, new = (id(cell.row), cell.path), new_text(entry)
        if new == cell.text or entry.old_value in (self._texts.get(place, cell.text), cell.text):
            # What the source says itself already starts the chain anew.
            self._texts[place] = new
