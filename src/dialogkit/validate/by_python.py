"""Judges what SQL cannot say (a pattern with look-ahead, for example): submission by submission, in Python."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import duckdb

from dialogkit import sql
from dialogkit.logic.answers import Facts
from dialogkit.logic.form_logic import Logic, Part
from dialogkit.logic.media import read_media
from dialogkit.logic.replay import Judged, replay
from dialogkit.model.form import Form, Section
from dialogkit.model.staged import Staged
from dialogkit.validate.conditions import part_at
from dialogkit.validate.form_logic import gate_of
from dialogkit.validate.phone_day import moment_of
from dialogkit.validate.recalculated import same_value
from dialogkit.validate.rule import Rule

_AT_ONCE: Final = 500

#: The text of the answer (or the number of rows) at a place → whether the rule is broken there; None: not decided.
_Verdict = Callable[[Judged, str], "bool | None"]
#: Which part of the logic each rule stands on (`Judged.undecided`).
_PARTS: Final[Mapping[str, tuple[Part, _Verdict]]] = {
    "FORM-RELEVANT": ("relevant", lambda one, text: bool(text) and one.relevant is False),
    "FORM-REQUIRED": ("required", lambda one, text: not text and bool(one.required)),
    "FORM-CONSTRAINT": ("constraint", lambda one, _text: one.constraint is False),
    "FORM-FILTER": ("choice_filter", lambda one, _text: one.chosen is False),
    "FORM-CALCULATION": (
        "calculation",
        lambda one, text: one.calculated is not None and not same_value(text, one.calculated),
    ),
    "FORM-COUNT": ("repeat_count", lambda one, text: one.count is not None and int(text or 0) != max(one.count, 0)),
    "FORM-ROWS": ("relevant", lambda one, text: bool(one.relevant) and not int(text or 0)),
}


@dataclass(frozen=True)
class ByPython:
    """What Python found: rows that break a rule, and rules that it could not decide for some submission."""

    broken: Sequence[tuple[str, str, str]]
    undecided: Mapping[str, str]


def judge_by_python(db: duckdb.DuckDBPyConnection, staged: Staged, rules: Sequence[Rule]) -> ByPython:
    """Judge the submissions of the versions for which rules ask Python.

    Args:
        db: holds the staged tables.
        staged: the batch.
        rules: those with `by_python`.

    Returns:
        Rows as (submission id, row, rule).
    """
    broken: list[tuple[str, str, str]] = []
    undecided: dict[str, str] = {}
    for version in dict.fromkeys(version for rule in rules for version in rule.by_python):
        form = staged.forms[version]
        wanted = {rule.code: rule for rule in rules if version in rule.by_python}
        media = {name: read_media(name, path.read_bytes()) for name, path in staged.media.get(version, {}).items()}
        logic = Logic(form)
        for line in _lines(db, staged, version):
            facts = Facts(now=moment_of(form, line["answers"], line["submitted_at"]), media=media)
            for one in replay(form, line["answers"], facts, logic):
                for code, reason in _judged(form, one, line["answers"], wanted):
                    if reason:
                        undecided[code] = reason
                    else:
                        broken.append((line["id"], one.row, code))
    return ByPython(broken, undecided)


def _lines(db: duckdb.DuckDBPyConnection, staged: Staged, version: str) -> Iterator[Mapping[str, Any]]:
    """Canonical lines of the new submissions of a version, a page in memory at a time."""
    new = f"SELECT n FROM {sql.name(staged.submissions)} WHERE state = 'new' AND coalesce(form_version, '') = ?"
    db.execute(
        f"CREATE OR REPLACE TEMP TABLE stage_python AS SELECT row_number() OVER () AS place, json::VARCHAR AS line "
        f"FROM {staged.lines} WHERE CAST(json_extract(json, '$.n') AS BIGINT) IN ({new})",
        [version],
    )
    (count,) = db.execute("SELECT count(*) FROM stage_python").fetchone() or (0,)
    for start in range(0, count, _AT_ONCE):
        page = "SELECT line FROM stage_python WHERE place BETWEEN ? AND ?"
        for (line,) in db.execute(page, [start + 1, start + _AT_ONCE]).fetchall():
            yield json.loads(line)
    db.execute("DROP TABLE stage_python")


def _judged(
    form: Form, one: Judged, answers: Mapping[str, Any], rules: Mapping[str, Rule]
) -> Iterator[tuple[str, str]]:
    """The rules that an answer breaks, each with an empty reason; those that are not decided with why."""
    for kind, (part, broken) in _PARTS.items():
        code = f"{kind}:{one.path}"
        if code not in rules or (kind != "FORM-RELEVANT" and one.relevant is False):
            continue
        reason = one.undecided.get(part) or one.undecided.get("relevant", "")
        if reason:
            yield code, reason
        elif _applies(form, kind, one.path) and broken(one, _text(answers, one)):
            yield code, ""


def _applies(form: Form, kind: str, path: str) -> bool:
    """A yes that opens a repeat needs rows; no other repeat does."""
    section = part_at(form, path)
    return kind != "FORM-ROWS" or (isinstance(section, Section) and bool(gate_of(section)))


def _text(answers: Mapping[str, Any], one: Judged) -> str:
    """The answer at a place as it was typed, or the number of rows of a repeat, empty for none."""
    row = answers
    for repeat, place in _steps(answers, one):
        row = row[repeat][place]
    found = row.get(one.path, "")
    return found.strip() if isinstance(found, str) else str(len(found) or "")


def _steps(answers: Mapping[str, Any], one: Judged) -> Iterator[tuple[str, int]]:
    """The repeats around a place with the place of the row in each, from outside in."""
    row = answers
    for place in (int(part) - 1 for part in one.row.split("/") if part):
        repeat = next(path for path, rows in row.items() if isinstance(rows, list) and one.path.startswith(f"{path}/"))
        yield repeat, place
        row = row[repeat][place]
