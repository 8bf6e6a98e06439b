"""What must be true before anything is written: something may be published, and every column has a class."""

from __future__ import annotations

from pathlib import Path

import duckdb

from dialogkit.errors import ReleaseRefused
from dialogkit.model.disclosure import CLASSES
from dialogkit.model.synthetic import PREFIX
from dialogkit.problem import Problem


def refuse_existing(target: Path) -> None:
    """A release is never written over another.

    Raises:
        ReleaseRefused: RELEASE-004, the folder is there.
    """
    if target.exists():
        raise ReleaseRefused(
            "RELEASE-004",
            target.name,
            "This folder exists already, and a release is never written over another.",
            "Name another folder: dialogkit publish --to FOLDER",
        )


def forms_to_publish(db: duckdb.DuckDBPyConnection) -> tuple[str, ...]:
    """The forms that have at least one record agreed to be published.

    Raises:
        ReleaseRefused: RELEASE-003, no form has.
    """
    rows = db.execute(
        "SELECT DISTINCT form_id FROM concepts.records WHERE published_record ORDER BY form_id"
    ).fetchall()
    if not rows:
        raise ReleaseRefused(
            "RELEASE-003",
            "snapshot",
            "No accepted submission may be published: none was agreed to, and none was read from a published page.",
            "Land submissions whose people agreed to publish, make a snapshot (dialogkit run), and publish again.",
        )
    return tuple(form_id for (form_id,) in rows)


def refuse_synthetic(db: duckdb.DuckDBPyConnection) -> None:
    """Made-up submissions (`dialogkit form simulate`) are for trials: no release counts a single one.

    Raises:
        ReleaseRefused: RELEASE-014, an accepted submission of some form is made up; edits keep the id of the first.
    """
    rows = db.execute(
        "SELECT form_id, count(*) FROM concepts.raw_records WHERE starts_with(submission_id, ?) "
        "GROUP BY ALL ORDER BY ALL",
        [PREFIX],
    ).fetchall()
    if rows:
        counts = ", ".join(f"{count} of {form_id}" for form_id, count in rows)
        raise ReleaseRefused(
            "RELEASE-014",
            "snapshot",
            f"Nothing was written: accepted submissions are made up by dialogkit form simulate ({counts}).",
            f"Delete those whose id begins with {PREFIX} on the server or in the folder they came from, "
            "pull them (dialogkit pull --full), and make a snapshot (dialogkit run).",
        )


def refuse_unclassed(db: duckdb.DuckDBPyConnection, forms: tuple[str, ...]) -> None:
    """Every column of every form to be published must have a disclosure class.

    Raises:
        ReleaseRefused: RELEASE-001, with one problem RELEASE-002 a column.
    """
    rows = db.execute(
        "SELECT form_id, table_name, column_name, disclosure FROM ops.columns ORDER BY form_id, table_name, position"
    ).fetchall()
    problems = tuple(
        Problem(
            "RELEASE-002",
            "error",
            f"{table}, {column}",
            f"The column has the disclosure class {disclosure!r}, which does not exist."
            if disclosure
            else "The column has no disclosure class.",
            f"Write one of {', '.join(CLASSES)} into the column `disclosure` of the workbook of {form_id}.",
        )
        for form_id, table, column, disclosure in rows
        if form_id in forms and disclosure not in CLASSES
    )
    if problems:
        raise ReleaseRefused(
            "RELEASE-001",
            ", ".join(forms),
            f"Nothing was written: {len(problems)} columns have no disclosure class: nobody can tell what they show.",
            "Write the class of each question into its workbook (no new version is needed), then: dialogkit run",
            problems,
        )
