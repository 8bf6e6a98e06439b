"""What a phone made by chance, once, is judged by what it kept (`once(random())`)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import duckdb

from dialogkit.model.submission import Answers
from dialogkit.validate.check import check
from dialogkit.validate.rules import rules_of
from tests.builders import make_form, stage_batch, write_batch
from tests.flow.test_validate_suites import TODAY

FORM = make_form("f", "1", [("integer", "n"), ("calculate", "code", {"calculation": "if(${n} = 1, once(uuid()), '')"})])
SENT: list[Answers] = [{"n": "1", "code": "made"}, {"n": "1"}, {"n": "2", "code": "made"}, {"n": "2"}]


def test_a_kept_value_stands_where_it_may_and_a_blank_one_is_not_judged(
    db: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    staged = stage_batch(db, write_batch(tmp_path, FORM, SENT), FORM)
    # How many rows a rule looked at is counted where a share of them has to pass.
    report = check(db, staged, [replace(rule, mostly=0.9) for rule in rules_of(staged)], today=TODAY)
    (result,) = [one for one in report.results if one.code == "FORM-CALCULATION:code"]
    assert (result.evaluated, result.violations, result.judged) == (True, 1, 3)
    broken = db.execute("SELECT submission_id FROM stage_violations WHERE rule = 'FORM-CALCULATION:code'").fetchall()
    assert broken == [("uuid:3",)]
