"""Import: values from published pages into a batch of origin `import`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from dialogkit.errors import BatchError
from dialogkit.model.batch import SOURCES
from dialogkit.model.consent import refusal
from dialogkit.model.form import Form
from dialogkit.model.server import Received
from dialogkit.model.submission import Attachment, Submission
from dialogkit.problem import Problem
from dialogkit.pull.batches import now
from dialogkit.pull.imports import Imported, read_values, submissions_of
from dialogkit.pull.lock import only_one
from dialogkit.pull.writer import new_batch
from dialogkit.steps.forms import prepare
from dialogkit.workspace import Workspace


def import_file(workspace: Workspace, form_id: str, path: Path, coded_by: str) -> int:
    """Write the records of a file into a batch; `dialogkit land` then checks and loads them.

    Returns:
        How many records there are.

    Raises:
        BatchError: a value does not fit the form, or has no source; nothing is written then.
    """
    form = prepare(workspace, form_id).form
    records = records_of(form, path, coded_by)
    with (
        only_one(workspace.batches, form_id),
        new_batch(workspace.batches, form_id, "import", "") as writer,
    ):
        for record in records:
            writer.add(_received(form, record), form, partial(_put_sources, record))
    return len(records)


def _put_sources(record: Imported, file: Attachment, target: Path) -> Attachment:
    """The sentences behind the values, as an attachment of the record."""
    data = b"".join(sources_file(record))
    target.write_bytes(data)
    return replace(file, size=len(data), sha256=hashlib.sha256(data).hexdigest())


def records_of(form: Form, path: Path, coded_by: str) -> list[Imported]:
    """The records of a file as submissions of a form.

    Raises:
        BatchError: a value does not fit the form, or a record would be refused when it is landed.
    """
    records = submissions_of(form, read_values(path, coded_by), path.name, datetime.now(UTC).date())
    refused = tuple(
        Problem(
            "BATCH-021",
            "error",
            f"{path.name}, record {record.record}",
            f"It would be refused when it is landed: {reason}.",
            "A record from a published page says so: consent_basis = public_source (how = import) and its source_ref.",
        )
        for record in records
        if (reason := refusal(form, record.answers, "import"))
    )
    if refused:
        raise BatchError(
            "BATCH-011",
            path.name,
            f"{len(refused)} records do not fit the form {form.form_id}. Nothing was imported.",
            "Correct them in the file and import it again.",
            refused,
        )
    return records


def sources_file(record: Imported) -> Iterator[bytes]:
    """The bytes of the file of sources that goes with a record."""
    yield json.dumps(list(record.sources), ensure_ascii=False, indent=1).encode()


def _received(form: Form, record: Imported) -> Received:
    submission = Submission(
        id=record.submission_id,
        instance_id=record.instance_id,
        form_id=form.form_id,
        form_version=form.version,
        submitted_at=now(),
        submitter="import",
        answers=record.answers,
        attachments=(Attachment(SOURCES),),
    )
    return Received(submission, record.xml, "import")
