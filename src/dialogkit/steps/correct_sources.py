"""What the source says of submissions now: their newest canonical lines, landed or not."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from dialogkit import sql
from dialogkit.correct.questions import Questions
from dialogkit.forms.versions import known_versions
from dialogkit.model.batch import SUBMISSIONS
from dialogkit.model.correction import bare
from dialogkit.model.form import Form
from dialogkit.model.table import Kind, Standing
from dialogkit.normalize.correcting import ids_that_begin, lines_of
from dialogkit.normalize.levels import read_objects
from dialogkit.normalize.schema import EMPTY
from dialogkit.normalize.values import can_misfit, typed
from dialogkit.pull.batches import batches, folder_name, open_batch
from dialogkit.pull.manifest import read_manifest
from dialogkit.steps.here import forms_here
from dialogkit.steps.ledger import columns_of
from dialogkit.steps.lineage import lineage_of_form
from dialogkit.warehouse.connect import reading
from dialogkit.warehouse.ddl import standing
from dialogkit.warehouse.history import check_history
from dialogkit.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Source:
    """A submission as it came: its form and its newest canonical line."""

    form_id: str
    line: Mapping[str, Any]


class Sources:
    """Finds submissions in the warehouse's batches and in those that wait. Use it as a `with` block."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace, self._stack = workspace, ExitStack()
        self._lines = self._stack.enter_context(duckdb.connect())
        self._landed: duckdb.DuckDBPyConnection | None = None
        self._questions: dict[str, Questions] = {}

    def __enter__(self) -> Sources:
        if self._workspace.warehouse.is_file():
            self._landed = self._stack.enter_context(reading(self._workspace.warehouse))
            check_history(self._landed, self._workspace.warehouse.name)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def meant(self, form_id: str, begins: str) -> list[str]:
        """Ids of submissions that are exactly this, else of those that begin so; with or without `uuid:`."""
        begins = bare(begins)
        if not begins:
            return []
        found = set()
        if self._landed:
            query = "SELECT submission_id FROM ops.submissions WHERE form_id = ? AND starts_with(" + _BARE + ", ?)"
            found = {id_ for (id_,) in self._landed.execute(query, [form_id, begins]).fetchall()}
        for path in self._waiting(form_id):
            found |= ids_that_begin(self._lines, _objects(path), begins)
        return sorted(one for one in found if bare(one) == begins) or sorted(found)

    def find(self, form_id: str, keys: Collection[str]) -> dict[str, Source]:
        """The newest lines of submissions by id without `uuid:`; those that never came are not in it."""
        found = {}
        for path, some in self._places(form_id, frozenset(keys)):
            for line in lines_of(self._lines, _objects(path), some):
                found[bare(line["id"])] = Source(form_id, line)
        return found

    def questions(self, form_id: str) -> Questions:
        """The questions of every version of a form that is known here or to its newest batch."""
        if form_id not in self._questions:
            forms = self._forms(form_id)
            lineage = lineage_of_form(self._workspace, list(forms.values()))
            here: Standing = standing(self._landed, form_id) if self._landed else EMPTY
            self._questions[form_id] = Questions(forms, lineage.same, columns_of(here))
        return self._questions[form_id]

    def fits(self, kind: Kind, text: str) -> bool:
        """Whether a text is of a kind, as a landing reads it."""
        if not can_misfit(kind):
            return True
        query = f"SELECT {typed(kind, 't')} IS NOT NULL FROM (SELECT ?::VARCHAR AS t)"
        return self._lines.execute(query, [text]).fetchone() == (True,)

    def forms(self) -> list[str]:
        """The forms of the workspace."""
        return forms_here(self._workspace)

    def _forms(self, form_id: str) -> dict[str, Form]:
        known = known_versions(self._workspace.versions, form_id)
        brought: dict[str, Form] = {}
        for path in batches(self._workspace.batches, form_id)[-1:]:
            brought = open_batch(path).forms()
        return {version: form for version, form in brought.items() if version not in known} | known

    def _places(self, form_id: str, keys: frozenset[str]) -> Iterator[tuple[Path, frozenset[str]]]:
        """Batches to look in, those that wait last: what they have replaces what has landed."""
        if self._landed and keys:
            query = (
                f"SELECT batch_id, list({_BARE}) FROM ops.submissions WHERE form_id = ? "
                f"AND {_BARE} IN ({sql.texts(sorted(keys))}) GROUP BY batch_id ORDER BY batch_id"
            )
            for batch_id, ids in self._landed.execute(query, [form_id]).fetchall():
                folder = self._workspace.batches / folder_name(form_id) / batch_id
                if folder.is_dir():
                    yield folder, frozenset(ids)
        for path in self._waiting(form_id):
            yield path, keys

    def _waiting(self, form_id: str) -> list[Path]:
        landed: set[str] = set()
        if self._landed:
            query = "SELECT batch_id FROM ops.runs WHERE form_id = ?"
            landed = {batch_id for (batch_id,) in self._landed.execute(query, [form_id]).fetchall()}
        return [path for path in batches(self._workspace.batches, form_id) if path.name not in landed]


_BARE = "regexp_replace(submission_id, '^uuid:', '')"


def _objects(folder: Path) -> str:
    return read_objects(folder / SUBMISSIONS, read_manifest(folder).counts["largest_line"])
