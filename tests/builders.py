"""Forms, submissions and batches in few words: tests write what they are about, builders hide the envelope."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import zstandard

from dialogkit.files import sha256_of
from dialogkit.instance import write_instance
from dialogkit.model.form import Choice, Form, Question, Section
from dialogkit.model.report import Landed, Report, RuleResult
from dialogkit.model.server import Received
from dialogkit.model.staged import Staged
from dialogkit.model.submission import Answers, Attachment, Origin, Submission
from dialogkit.normalize.audit import audit_names, stage_audit
from dialogkit.normalize.sources import stage_sources
from dialogkit.normalize.staging import stage, unstage
from dialogkit.pull.batches import Batch, batches, open_batch
from dialogkit.pull.bodies import BODIES
from dialogkit.pull.writer import PutFile, new_batch
from dialogkit.validate.quality.duplicates import stage_fingerprints
from dialogkit.warehouse.ddl import standing
from dialogkit.warehouse.load import load

#: ("integer", "g/age") or ("select_one", "country", {"choices": ["MEX"], "disclosure": "indirect"}).
Row = tuple[str, str] | tuple[str, str, Mapping[str, Any]]


def make_form(form_id: str, version: str, rows: Sequence[Row]) -> Form:
    """A form from short rows: type, path and what else matters.

    Groups and repeats above a path that no row names are groups; ("repeat", "g/rep") names a repeat. `choices` makes
    a list of its own for the question. Every question is labelled and is of class `none` unless the row says other.
    """
    questions: list[Question] = []
    sections: dict[str, Section] = {}
    lists: dict[str, tuple[Choice, ...]] = {}
    for number, row in enumerate(rows, start=2):
        kind, path = row[0], row[1]
        facts = dict(row[2]) if len(row) > 2 else {}
        name = path.rsplit("/", 1)[-1]
        for above in _above(path):
            sections.setdefault(above, Section("group", above.rsplit("/", 1)[-1], above, {}, row=number))
        if kind in ("repeat", "group"):
            sections[path] = Section(kind, name, path, {"": name}, row=number)
            continue
        choices = facts.pop("choices", None)
        if choices is not None:
            facts.setdefault("list_name", f"list_{number}")
            lists[facts["list_name"]] = tuple(Choice(choice, {"": choice}) for choice in choices)
        facts.setdefault("labels", {"": f"Label of {name}"})
        facts.setdefault("disclosure", "none")
        questions.append(Question(name=name, path=path, type=kind, row=number, **facts))
    return Form(form_id, version, form_id, ("",), "", tuple(questions), tuple(sections.values()), lists)


def received(
    form: Form,
    answers: Answers,
    submission_id: str = "uuid:1",
    *,
    instance_id: str = "",
    version: str | None = None,
    origin: Origin = "server",
    body: bytes | None = None,
    files: Sequence[str] = (),
    **facts: Any,
) -> Received:
    """A submission as a server gives it, with the bytes of its instance."""
    instance_id = instance_id or submission_id
    submission = Submission(
        id=submission_id,
        instance_id=instance_id,
        form_id=form.form_id,
        form_version=form.version if version is None else version,
        submitted_at=facts.pop("submitted_at", "2026-11-20T10:00:00.000Z"),
        answers=answers,
        attachments=tuple(Attachment(name) for name in files),
        **facts,
    )
    return Received(submission, body if body is not None else _body(form, answers, instance_id), origin)


def write_batch(
    folder: Path,
    form: Form,
    some: Iterable[Answers | Received],
    *,
    origin: Origin = "server",
    server: str = "field",
    cursor: str | None = None,
    content: Mapping[str, bytes] | None = None,
) -> Batch:
    """A batch on disk, opened again. Answers alone become submissions `uuid:1`, `uuid:2`…

    `content` gives the bytes of attachments by their claimed name.
    """
    with new_batch(folder, form.form_id, origin, server) as writer:
        for number, one in enumerate(some, start=1):
            whole = one if isinstance(one, Received) else received(form, one, f"uuid:{number}", origin=origin)
            writer.add(whole, form, None if content is None else _putting(content))
        writer.cursor = cursor
    return open_batch(batches(folder, form.form_id)[-1])


def _putting(content: Mapping[str, bytes]) -> PutFile:
    def put(file: Attachment, target: Path) -> Attachment:
        target.write_bytes(content[file.name])
        return replace(file, size=len(content[file.name]), sha256=sha256_of(target))

    return put


def stage_batch(db: duckdb.DuckDBPyConnection, batch: Batch, *forms: Form) -> Staged:
    """The batch in temporary tables of `db`, as `steps.land` stages it. `forms`: known versions, oldest first."""
    known = {form.version: form for form in forms} or batch.forms()
    form_id = batch.manifest.form_id
    staged = stage(db, batch.manifest, batch.submissions, known, standing(db, form_id))
    stage_sources(db, ())
    stage_audit(db, [(id_, batch.attachment(id_, name)) for id_, name in audit_names(db, staged)], staged)
    stage_fingerprints(db, staged)
    return staged


def land_batch(
    db: duckdb.DuckDBPyConnection, batch: Batch, *forms: Form, hold: Mapping[str, str] | None = None
) -> Landed:
    """Stage, judge and load one batch.

    Args:
        hold: submission id → code of the rule that it breaks; all others are accepted.
    """
    staged = stage_batch(db, batch, *forms)
    judge(db, staged, hold or {})
    landed = load(db, staged, batch.manifest, report_of(hold or {}))
    unstage(db)
    return landed


def judge(db: duckdb.DuckDBPyConnection, staged: Staged, hold: Mapping[str, str]) -> None:
    """What `validate` leaves behind: `stage_violations` and `stage_decision`."""
    db.execute(
        "CREATE OR REPLACE TEMP TABLE stage_violations (submission_id VARCHAR, table_name VARCHAR, row VARCHAR, "
        "path VARCHAR, rule VARCHAR, action VARCHAR)"
    )
    for submission_id, rule in hold.items():
        db.execute(
            "INSERT INTO stage_violations SELECT submission_id, ?, '', '', ?, 'hold' FROM stage_submissions "
            "WHERE submission_id = ? AND state = 'new'",
            [staged.form_id, rule, submission_id],
        )
    db.execute(
        "CREATE OR REPLACE TEMP TABLE stage_decision AS SELECT submission_id, "
        "CASE WHEN rule IS NULL THEN 'accepted' ELSE 'held' END AS state, coalesce(rule, '') AS reason "
        "FROM stage_submissions LEFT JOIN stage_violations USING (submission_id) "
        "WHERE stage_submissions.state = 'new'"
    )


def report_of(hold: Mapping[str, str]) -> Report:
    """The results behind `hold`."""
    codes = sorted(set(hold.values()))
    results = (RuleResult(code, "hold", "", {"en": f"{code} is broken."}, "Fix it.", True, 1) for code in codes)
    return Report(tuple(results))


def rows_of(db: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    """The rows of a query by column name."""
    result = db.execute(query)
    names = [column[0] for column in result.description]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def everything(db: duckdb.DuckDBPyConnection) -> dict[str, list[tuple[str, ...]]]:
    """Every row of every table of the warehouse as text, sorted; the times of runs left out."""
    tables = db.execute(
        "SELECT schema_name, table_name FROM duckdb_tables() WHERE NOT temporary AND schema_name <> 'main' ORDER BY ALL"
    ).fetchall()
    return {
        f"{schema}.{table}": sorted(
            tuple(str(value) for name, value in row.items() if name not in ("landed_at", "decided_at"))
            for row in rows_of(db, f'FROM "{schema}"."{table}"')
        )
        for schema, table in tables
    }


def bytes_of(folder: Path) -> bytes:
    """Every byte below a folder, file names too, and what packed files say when unpacked: to search for a text."""
    found = []
    for path in sorted(folder.rglob("*")):
        found.append(path.name.encode())
        if path.is_file():
            data = path.read_bytes()
            found.append(data)
            if path.suffix == ".zst":
                found.append(zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True).read())
            if path.match(BODIES):
                found += [body for _, body in open_batch(path.parents[1]).received()]
    return b"\n".join(found)


def lines_of(batch: Batch) -> list[dict[str, Any]]:
    """The canonical lines of a batch."""
    text = zstandard.ZstdDecompressor().stream_reader(batch.submissions.read_bytes()).read()
    return [json.loads(line) for line in text.splitlines()]


def _body(form: Form, answers: Answers, instance_id: str) -> bytes:
    try:
        return write_instance(form, answers, instance_id)
    except ValueError:
        # Answers of a shape that the form does not have: their bytes do not matter to the test.
        return json.dumps(answers).encode()


def _above(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:end]) for end in range(1, len(parts))]
