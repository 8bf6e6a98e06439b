"""Reads values that were taken from published pages: a file of rows → submissions with their sources.

Each row is one value: `record, table, field, value, how, source_sentence` and, if known, `coded_by`. `table` is empty
for the main table and `rep_barrier[2]` for the second row of a repeat. `how` is `stated` (the sentence says it),
`coded` (a code chosen for what the sentence says) or `import` (set by the import itself).
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from dialogkit import xml
from dialogkit.errors import BatchError
from dialogkit.instance import read_instance, write_instance
from dialogkit.logic.calculate import calculated
from dialogkit.model.form import Form, Question
from dialogkit.model.submission import Answers
from dialogkit.problem import Problem

HOW: Final = ("stated", "coded", "import")
_COLUMNS: Final = ("record", "table", "field", "value", "how", "source_sentence")
_ROW = re.compile(r"(?P<repeat>[^\[\]]+)\[(?P<number>[1-9][0-9]{0,3})\]")


@dataclass(frozen=True, slots=True)
class Value:
    """One value of one record, and where it comes from. `place` is its place in the file, for messages."""

    record: str
    table: str
    field: str
    value: str
    how: str
    sentence: str
    coded_by: str
    place: str


@dataclass(frozen=True, slots=True)
class Imported:
    """One record as a submission.

    Args:
        record: its code in the file.
        submission_id: made from form and code, so that importing again replaces rather than doubles.
        instance_id: made from the content.
        xml: the instance, with the form's own calculations filled.
        answers: what `xml` says.
        sources: the content of the file `model.batch.SOURCES`.
    """

    record: str
    submission_id: str
    instance_id: str
    xml: bytes
    answers: Answers
    sources: tuple[Mapping[str, str], ...]


def read_values(path: Path, coded_by: str) -> list[Value]:
    """The values in a `.csv` or `.json` file.

    Args:
        path: the file. JSON: `{record: {"rows": [{"table", "field", "value", "how", "source"}]}}`.
        coded_by: who coded the rows that do not say it.

    Raises:
        BatchError: it is neither, or columns are missing.
    """
    try:
        if path.suffix.lower() == ".json":
            return _from_json(json.loads(path.read_text(encoding="utf-8")), coded_by)
        with path.open(encoding="utf-8-sig", newline="") as file:
            return _from_csv(path.name, csv.DictReader(file, strict=True), coded_by)
    except (OSError, ValueError, csv.Error, KeyError, TypeError, AttributeError):
        raise BatchError(
            "BATCH-010",
            path.name,
            "The file cannot be read as values to import.",
            f"Use a CSV file in UTF-8 with the columns {', '.join(_COLUMNS)}.",
        ) from None


def submissions_of(form: Form, values: Sequence[Value], file: str, today: date) -> list[Imported]:
    """The records of a file as submissions of `form`.

    Raises:
        BatchError: with one Problem for each value that does not fit the form; nothing is imported then.
    """
    problems: list[Problem] = []
    records: dict[str, list[tuple[Value, Question, str]]] = {}
    for value in values:
        found = _place(form, value, file)
        if isinstance(found, Problem):
            problems.append(found)
        else:
            records.setdefault(value.record, []).append((value, *found))
    problems += _twice(records, file)
    problems += [problem for code, rows in records.items() for problem in _without_source(form, code, rows, file)]
    if problems:
        raise BatchError(
            "BATCH-011",
            file,
            f"{len(problems)} values do not fit the form {form.form_id}. Nothing was imported.",
            "Correct them in the file and import it again.",
            tuple(problems),
        )
    return [_submission(form, code, _without_gaps(form, rows), today) for code, rows in records.items()]


def _from_json(data: Any, coded_by: str) -> list[Value]:
    return [
        Value(
            record=record,
            table=_said(row["table"]),
            field=_said(row["field"]),
            value=_said(str(row["value"]) if isinstance(row["value"], int | float) else row["value"]),
            how=_said(row["how"]),
            sentence=_said(row["source"]),
            coded_by=_said(row.get("coded_by", coded_by)),
            place=f"record {record}, value {number}",
        )
        for record, content in data.items()
        for number, row in enumerate(content["rows"], start=1)
    ]


def _said(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _from_csv(name: str, rows: csv.DictReader[str], coded_by: str) -> list[Value]:
    missing = [column for column in _COLUMNS if column not in (rows.fieldnames or ())]
    if missing:
        raise BatchError(
            "BATCH-012", name, f"Columns are missing: {', '.join(missing)}.", f"Add them: {', '.join(_COLUMNS)}."
        )
    return [_from_line(name, row, rows.line_num, coded_by) for row in rows]


def _from_line(name: str, row: Mapping[str | Any, Any], line: int, coded_by: str) -> Value:
    if None in row:
        raise BatchError(
            "BATCH-019",
            f"{name}, line {line}",
            "The line has more cells than the first line of the file.",
            'Put a text that holds a comma between double quotes: "It was so, she said"',
        )
    return Value(
        record=row["record"].strip(),
        table=row["table"].strip(),
        field=row["field"].strip(),
        value=row["value"],
        how=row["how"].strip(),
        sentence=row["source_sentence"].strip(),
        coded_by=(row.get("coded_by") or coded_by).strip(),
        place=f"line {line}",
    )


def _place(form: Form, value: Value, file: str) -> tuple[Question, str] | Problem:
    """The question that a value answers and the row that it stands in (`""` or `2`)."""
    where = f"{file}, {value.place}"
    if not value.record:
        return Problem("BATCH-020", "error", where, "The value belongs to no record.", "Fill the column record.")
    match = _ROW.fullmatch(value.table)
    repeat = match["repeat"] if match else value.table
    fitting = [
        q for q in form.named(value.field) if q.has_answer and form.repeat_of(q.path).rpartition("/")[2] == repeat
    ]
    if len(fitting) != 1 or bool(match) != bool(value.table):
        return Problem(
            "BATCH-013",
            "error",
            where,
            f"{value.field} is not a question of {value.table or 'the main table'} in {form.form_id}.",
            "Correct field or table; a row of a repeat is written rep_name[1], rep_name[2]…",
        )
    if value.how not in HOW:
        return Problem("BATCH-014", "error", where, "how is not one of the three ways.", f"Use: {', '.join(HOW)}.")
    if value.how != "import" and not value.sentence:
        return Problem(
            "BATCH-015",
            "error",
            where,
            f"The value of {value.field} has no source sentence.",
            "Add the sentence of the page that says it.",
        )
    if not xml.writable(value.value):
        return Problem(
            "BATCH-018",
            "error",
            where,
            f"The value of {value.field} holds a control character.",
            "Type the value anew in the file.",
        )
    return fitting[0], match["number"] if match else ""


def _twice(records: Mapping[str, Sequence[tuple[Value, Question, str]]], file: str) -> list[Problem]:
    seen: set[tuple[str, str, str]] = set()
    problems = []
    for code, rows in records.items():
        for value, question, row in rows:
            if (code, question.path, row) in seen:
                problems.append(
                    Problem(
                        "BATCH-016",
                        "error",
                        f"{file}, {value.place}",
                        f"{value.field} has two values in one record.",
                        "Keep one; codes of a select_multiple stand in one value, with spaces between.",
                    )
                )
            seen.add((code, question.path, row))
    return problems


def _without_source(form: Form, code: str, rows: Sequence[tuple[Value, Question, str]], file: str) -> list[Problem]:
    asked = form.by_concept.get("meta.source_ref")
    if asked is None or any(question == asked and value.value.strip() for value, question, _ in rows):
        return []
    return [
        Problem(
            "BATCH-017",
            "error",
            f"{file}, record {code}",
            f"The record does not name the published page that it was read from ({asked.name}).",
            f"Add a row with field {asked.name}, its value the title or address of the page, how = import.",
        )
    ]


def _submission(form: Form, code: str, rows: Sequence[tuple[Value, Question, str]], today: date) -> Imported:
    answers = calculated(form, _answers(form, rows), today=today)
    submission_id = f"uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'dialogkit:{form.form_id}:{code}')}"
    body = write_instance(form, answers, submission_id)
    digest = hashlib.sha256(body).hexdigest()
    source = next((v.value for v, question, _ in rows if question.concept == "meta.source_ref"), "")
    return Imported(
        record=code,
        submission_id=submission_id,
        instance_id=f"uuid:{uuid.uuid5(uuid.NAMESPACE_URL, submission_id + digest)}",
        xml=body,
        answers=read_instance(body, form.repeats).answers,
        sources=tuple(
            {
                "row": row,
                "path": question.path,
                "how": value.how,
                "coded_by": value.coded_by,
                "source_sentence": value.sentence,
                "source_ref": source,
            }
            for value, question, row in rows
        ),
    )


def _without_gaps(form: Form, rows: Sequence[tuple[Value, Question, str]]) -> list[tuple[Value, Question, str]]:
    """The rows of each repeat as they are counted in the table: 1, 2, 3, whatever numbers the file gives them."""
    numbers: dict[str, set[int]] = {}
    for _, question, row in rows:
        if row:
            numbers.setdefault(form.repeat_of(question.path), set()).add(int(row))
    places = {
        (repeat, number): place
        for repeat, found in numbers.items()
        for place, number in enumerate(sorted(found), start=1)
    }
    return [
        (value, question, str(places[form.repeat_of(question.path), int(row)]) if row else "")
        for value, question, row in rows
    ]


def _answers(form: Form, rows: Sequence[tuple[Value, Question, str]]) -> Answers:
    answers: dict[str, str | list[Answers]] = {}
    repeats: dict[str, dict[int, dict[str, str | list[Answers]]]] = {}
    for value, question, row in rows:
        if row:
            numbered = repeats.setdefault(form.repeat_of(question.path), {})
            numbered.setdefault(int(row), {})[question.path] = value.value
        else:
            answers[question.path] = value.value
    for repeat, numbered in repeats.items():
        answers[repeat] = [numbered[number] for number in sorted(numbered)]
    return answers
