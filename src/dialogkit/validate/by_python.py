"""Judges what SQL cannot say (a pattern with look-ahead, for example): submission by submission, in Python."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import duckdb

from dialogkit import sql
from dialogkit.errors import FormError
from dialogkit.logic.answers import Facts
from dialogkit.logic.form_logic import FormLogic
from dialogkit.logic.media import read_media
from dialogkit.model.staged import Staged
from dialogkit.validate.one_submission import OneSubmission
from dialogkit.validate.phone_day import moment_of
from dialogkit.validate.rule import Rule

_AT_ONCE: Final = 500


@dataclass
class ByPython:
    """What Python found.

    Args:
        broken: rule → rows that break it, as (submission id, row).
        undecided: rule → why it was not decided for some submission.
        judged: rule → how many rows it looked at.
    """

    broken: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    undecided: dict[str, str] = field(default_factory=dict)
    judged: Counter[str] = field(default_factory=Counter)


def judge_by_python(db: duckdb.DuckDBPyConnection, staged: Staged, rules: Sequence[Rule]) -> ByPython:
    """Judge the submissions of the versions for which rules ask Python.

    Args:
        db: holds the staged tables.
        staged: the batch.
        rules: of the form; those with `by_python` are judged.
    """
    found = ByPython()
    for version in dict.fromkeys(version for rule in rules for version in rule.by_python):
        form = staged.forms[version]
        media = dict(_readable(staged.media.get(version, {})))
        logic = FormLogic(form)
        wanted = [rule.code for rule in rules if version in rule.by_python]
        for line in _lines(db, staged, version):
            facts = Facts(now=moment_of(form, line["answers"], line["submitted_at"]), media=media)
            one = OneSubmission(logic, line["answers"], facts, imported=staged.origin == "import")
            for code in wanted:
                _note(found, code, line["id"], one)
    return found


def _note(found: ByPython, code: str, submission_id: str, one: OneSubmission) -> None:
    for said in one.said(*code.split(":", 1)):
        if said.reason:
            found.undecided[code] = said.reason
            continue
        found.judged[code] += 1
        if said.broken:
            found.broken.setdefault(code, []).append((submission_id, said.row))


def _readable(media: Mapping[str, Path]) -> Iterator[tuple[str, Sequence[Mapping[str, str]]]]:
    """The files that can be read; what rests on another one is not decidable."""
    for name, path in media.items():
        try:
            yield name, read_media(name, path.read_bytes())
        except (OSError, FormError):
            continue


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
