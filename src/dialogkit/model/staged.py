"""One batch, typed and waiting in temporary tables beside the warehouse, before anything is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dialogkit.model.correction import Corrected
from dialogkit.model.form import Form
from dialogkit.model.lineage import NO_LINEAGE, Lineage
from dialogkit.model.submission import Origin
from dialogkit.model.table import Table


@dataclass(frozen=True)
class Staged:
    """Names of the temporary tables of one batch, and what they are of.

    Args:
        form_id, batch_id, origin: of the batch.
        forms: every version of the form that is known to this batch, by version.
        tables: main table first, then repeat tables, parents before children.
        relations: table name → temporary table. It has the own columns and every column of the table
            (identifiers too), and holds only submissions that are to be checked and loaded (new or changed).
        lineage: of the form over those versions.
        corrected: what the ledger did to submissions that are to be loaded, by their id.
        again: whether these are submissions of a batch that has landed, landed once more after a correction.
        submissions: temporary table, one row a line of the batch: `submission_id, instance_id, form_version,
            submitted_at, content, state, reason`; `state` is `new` (to be checked and loaded), `known`, `refused`
            or `deleted`.
        issues: temporary table `submission_id, table_name, row, path, kind, raw`: values that are not of their type.
        drift: temporary table `submission_id, row, path, raw`: answers at no known path.
        raw: temporary table of the lines of `new` submissions, one column a fact (`id`, `sealed`…).
        lines: a table function of the batch's canonical lines as they were typed, one column `json`.
        media: the lists and tables that the logic of a version reads, by version, then by file name.
    """

    form_id: str
    batch_id: str
    origin: Origin
    forms: Mapping[str, Form]
    tables: tuple[Table, ...]
    relations: Mapping[str, str]
    lineage: Lineage = NO_LINEAGE
    corrected: Mapping[str, Corrected] = field(default_factory=dict)
    again: bool = False
    submissions: str = "stage_submissions"
    issues: str = "stage_issues"
    drift: str = "stage_drift"
    raw: str = "stage_raw"
    lines: str = ""
    media: Mapping[str, Mapping[str, Path]] = field(default_factory=dict)

    @property
    def form(self) -> Form:
        """The latest version known to this batch."""
        return list(self.forms.values())[-1]
