"""One batch, typed and waiting in temporary tables beside the warehouse, before anything is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

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
        submissions: temporary table, one row a line of the batch: `submission_id, instance_id, form_version,
            submitted_at, content, state, reason`; `state` is `new` (to be checked and loaded), `known`, `refused`
            or `deleted`.
        issues: temporary table `submission_id, table_name, row, path, kind, raw`: values that are not of their type.
        drift: temporary table `submission_id, row, path, raw`: answers at no known path.
        raw: temporary table of the lines of `new` submissions, one column a fact (`id`, `sealed`…).
    """

    form_id: str
    batch_id: str
    origin: Origin
    forms: Mapping[str, Form]
    tables: tuple[Table, ...]
    relations: Mapping[str, str]
    lineage: Lineage = NO_LINEAGE
    submissions: str = "stage_submissions"
    issues: str = "stage_issues"
    drift: str = "stage_drift"
    raw: str = "stage_raw"

    @property
    def form(self) -> Form:
        """The latest version known to this batch."""
        return list(self.forms.values())[-1]
