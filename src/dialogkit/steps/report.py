"""Report: what the warehouse counts, as pages that are read without a network."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from dialogkit.files import write_whole
from dialogkit.model.report_page import ReportFacts
from dialogkit.validate.pages.report import report_pages
from dialogkit.warehouse.connect import reading
from dialogkit.warehouse.report_facts import check_books, form_counts, landed_forms
from dialogkit.workspace import Workspace

#: Below the folder of the warehouse.
FOLDER: Final = "report"


def report(
    workspace: Workspace, forms: Sequence[str], languages: Sequence[str], to: Path | None, now: datetime
) -> list[Path]:
    """Write the report, one file a language.

    Args:
        workspace: where.
        forms: form ids; every form of which something has landed when none is named.
        languages: `en`, `fr`, `es`; the files link to each other.
        to: the folder; by default `warehouse/report`, which version control leaves out.
        now: with its zone.

    Raises:
        ConfigError: CONFIG-005, there is no such form here and none in the warehouse.
        WarehouseError: there is no warehouse, it is open elsewhere, or (WAREHOUSE-060) an older dialogkit wrote it.
    """
    smallest = workspace.config.publish.smallest_cell
    with reading(workspace.warehouse) as db:
        check_books(db, workspace.warehouse.name)
        landed = landed_forms(db)
        for form_id in set(forms) - set(landed):
            workspace.form_file(form_id)
        chosen = list(dict.fromkeys(forms)) or landed
        counted = tuple(form_counts(db, form_id, smallest, now) for form_id in chosen)
    facts = ReportFacts(workspace.config.workspace.name, now, smallest, counted)
    return write_pages(to or staff_folder(workspace, FOLDER), report_pages(facts, languages))


def staff_folder(workspace: Workspace, name: str) -> Path:
    """A folder beside the warehouse for pages of the team, which version control leaves out."""
    folder = workspace.warehouse.parent / name
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_whole(folder / ".gitignore", b"*\n")
    return folder


def write_pages(folder: Path, pages: dict[str, bytes]) -> list[Path]:
    """Write pages that only their owner may read."""
    for name, data in pages.items():
        write_whole(folder / name, data, mode=0o600)
    return [folder / name for name in pages]
