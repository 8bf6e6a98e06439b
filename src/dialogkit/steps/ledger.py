"""The ledger of a form as a landing and the commands use it: its entries by submission, and how they are replayed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from dialogkit.correct.ledger import read_ledger
from dialogkit.correct.questions import Questions
from dialogkit.correct.replay import digest_of, in_force, replay
from dialogkit.model.correction import Corrected, Entry, Replay, bare
from dialogkit.model.table import Standing
from dialogkit.pull.batches import folder_name
from dialogkit.workspace import Workspace


class Book:
    """The entries of one form, oldest first."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.entries = tuple(entries)
        self._of: dict[str, list[Entry]] = {}
        for entry in entries:
            self._of.setdefault(entry.key, []).append(entry)

    @property
    def keys(self) -> frozenset[str]:
        """Ids, without `uuid:`, of the submissions that entries are about."""
        return frozenset(self._of)

    @cached_property
    def forced(self) -> frozenset[str]:
        """Ids of the entries that ask for something and were not undone."""
        return frozenset(entry.id for entry in in_force(self.entries))

    def of(self, submission_id: str) -> Sequence[Entry]:
        """The entries about a submission."""
        return self._of.get(bare(submission_id), [])

    def digest(self, submission_id: str) -> str:
        """Changes when what is asked of a submission changes; empty when nothing is."""
        return digest_of(self.of(submission_id))

    def replay(self, questions: Questions, again: Sequence[str] = ()) -> Replay:
        """What `normalize.staging.stage` needs to replay it; `again`: only these submissions are landed, once more."""
        return Replay(self.keys, partial(self._correct, questions=questions), again)

    def _correct(self, line: Mapping[str, Any], *, questions: Questions) -> Corrected:
        return replay(line, self.of(str(line["id"])), questions)


def book_of(workspace: Workspace, form_id: str) -> Book:
    """The ledger of a form; without entries when there is no file.

    Raises:
        ConfigError: CORRECT-001, the file is not a ledger.
    """
    return Book(read_ledger(ledger_of(workspace, form_id)))


def ledger_of(workspace: Workspace, form_id: str) -> Path:
    """The file of a form's ledger."""
    return workspace.corrections / f"{folder_name(form_id)}.csv"


def columns_of(here: Standing) -> dict[str, str]:
    """Column name → path of its question, over all tables of a form; a name that several tables have is left out."""
    found: dict[str, set[str]] = {}
    for columns in here.columns.values():
        for column in columns:
            if not column.is_companion:
                found.setdefault(column.name, set()).add(column.path)
    return {name: next(iter(paths)) for name, paths in found.items() if len(paths) == 1}
