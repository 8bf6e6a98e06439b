"""Drift: answers to questions that no known version of a form asks, with what they may be."""

from __future__ import annotations

from collections.abc import Sequence

from dialogkit.forms.versions import known_versions
from dialogkit.model.form import Form
from dialogkit.warehouse import drift as book
from dialogkit.warehouse.connect import reading
from dialogkit.warehouse.drift import DriftPath
from dialogkit.warehouse.drift_why import Suggestion, suggest
from dialogkit.warehouse.history import check_history
from dialogkit.workspace import Workspace


def drift(workspace: Workspace, forms: Sequence[str] = ()) -> list[tuple[DriftPath, Suggestion]]:
    """Every unknown path of the forms (of all forms when none is named), each with a suggestion.

    Raises:
        ConfigError: CONFIG-005, there is no such form here and none in the warehouse.
        WarehouseError: there is no warehouse, it is open elsewhere, or an older dialogkit has written it.
    """
    with reading(workspace.warehouse) as db:
        check_history(db, workspace.warehouse.name)
        landed = {form_id for (form_id,) in db.execute("SELECT DISTINCT form_id FROM ops.tables").fetchall()}
        for form_id in forms:
            if form_id not in landed:
                workspace.form_file(form_id)
        entries, known = book.read_drift(db, forms), book.known_paths(db)
    latest = {entry.form_id: form for entry in entries if (form := _latest(workspace, entry.form_id))}
    return list(zip(entries, suggest(entries, latest, known), strict=True))


def unknown_questions(workspace: Workspace) -> int:
    """How many unknown questions were answered; 0 before the first landing."""
    if not workspace.warehouse.is_file():
        return 0
    with reading(workspace.warehouse) as db:
        return book.unknown_questions(db)


def _latest(workspace: Workspace, form_id: str) -> Form | None:
    return next(reversed(known_versions(workspace.versions, form_id).values()), None)
