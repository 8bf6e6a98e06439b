"""Rules over the rows of the whole form and over several tables, and what SQL of people may not do."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from dialogkit.model.report import Report
from dialogkit.model.submission import Answers
from dialogkit.validate import statement
from dialogkit.validate.check import check
from dialogkit.validate.statement import UNSTEADY
from dialogkit.validate.suites import read_rules_file, rules_in
from tests.builders import land_batch, make_form, received, stage_batch, write_batch
from tests.flow.test_validate_suites import TODAY, broken, write

FORM = make_form(
    "f",
    "1",
    [
        ("text", "code"),
        ("date", "day"),
        ("text", "status"),
        ("text", "name", {"disclosure": "direct"}),
        ("repeat", "r"),
        ("text", "r/x"),
    ],
)
HERE: list[Answers] = [
    {"code": "a", "day": "2026-01-01", "status": "old", "r": [{"r/x": "p"}]},
    {"code": "b", "day": "2026-01-02", "status": "new"},
    {"code": "c", "day": "2026-01-03", "status": "old"},
]
#: The second comes again with another code; 4 to 6 are new.
NOW: list[tuple[str, Answers]] = [
    ("uuid:2", {"code": "z", "day": "2026-01-02", "status": "new"}),
    ("uuid:4", {"code": "a", "day": "2026-01-01", "status": "new", "r": [{"r/x": "p"}, {"r/x": "q"}]}),
    ("uuid:5", {"code": "b", "day": "2026-01-05", "status": "new"}),
    ("uuid:6", {}),
]
UNIQUE = 'type = "expect_column_values_to_be_unique"\ncolumn = "code"\nscope = "form"'
COMPOUND = 'type = "expect_compound_columns_to_be_unique"\ncolumn_list = ["code", "day"]\nscope = "form"'
CHANGED = (
    'type = "unexpected_rows_expectation"\nscope = "form"\nby = ["code"]\nunexpected_rows_query = '
    '"SELECT * FROM {batch} QUALIFY min(status) OVER (PARTITION BY code) <> max(status) OVER (PARTITION BY code)"'
)


@pytest.fixture
def judged(db: duckdb.DuckDBPyConnection, tmp_path: Path):
    """Lands three submissions; four more are staged and judged by the rules that are given."""
    land_batch(db, write_batch(tmp_path / "batches", FORM, HERE), FORM)
    some = [received(FORM, answers, uuid, instance_id=f"{uuid}-now") for uuid, answers in NOW]
    staged = stage_batch(db, write_batch(tmp_path / "batches", FORM, some), FORM)

    def judge(*rules: str) -> Report:
        report = check(db, staged, rules_in(read_rules_file(write(tmp_path, *rules)), staged, db), today=TODAY)
        assert [result.code for result in report.results if not result.evaluated] == []
        return report

    return judge


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (UNIQUE, ["4"]),
        (UNIQUE + "\nwhen = \"${status} = 'old'\"", []),
        (COMPOUND, ["4"]),
        (CHANGED, ["4"]),
        (CHANGED.replace('by = ["code"]\n', ""), ["4"]),
        (UNIQUE.replace("code", "x") + '\ntable = "r"', ["4/1"]),
        (
            'type = "unexpected_rows_expectation"\nscope = "form"\nunexpected_rows_query = '
            '"SELECT * FROM {batch} b WHERE (SELECT count(*) FROM {r} r '
            'WHERE r._submission_id = b._submission_id) = 1"',
            [],
        ),
    ],
)
def test_a_rule_over_the_form_holds_rows_of_the_batch_alone(
    db: duckdb.DuckDBPyConnection, judged, rule: str, expected: list[str]
):
    """`b` stands twice no longer: the edited submission takes the place of the accepted one."""
    (result,) = judged(rule).results
    assert result.violations == len(expected)
    assert broken(db) == expected


def test_rows_of_the_form_that_are_accepted_are_not_judged_by_mostly(db: duckdb.DuckDBPyConnection, judged):
    """One of the three new rows that have a code breaks it; with the accepted ones it would be one of five."""
    assert judged(UNIQUE + "\nmostly = 0.75").results[0].action == "hold"
    assert judged(UNIQUE + "\nmostly = 0.66").results[0].action == "note"


def test_a_figure_over_the_form_counts_every_submission_once(db: duckdb.DuckDBPyConnection, judged):
    rows = 'type = "expect_table_row_count_to_equal"\nscope = "form"\naction = "note"\nvalue = '
    assert [result.violations for result in judged(rows + "6", rows + "4").results] == [0, 1]


def test_before_the_first_landing_the_batch_is_the_form(db: duckdb.DuckDBPyConnection, tmp_path: Path):
    staged = stage_batch(db, write_batch(tmp_path, FORM, [*HERE, {"code": "a"}]), FORM)
    check(db, staged, rules_in(read_rules_file(write(tmp_path, UNIQUE)), staged, db), today=TODAY)
    assert broken(db) == ["1", "4"]


def test_a_rule_over_the_form_reads_no_identifier(db: duckdb.DuckDBPyConnection, judged):
    with pytest.raises(Exception, match="identifier") as caught:
        judged(UNIQUE.replace("code", "name"))
    assert caught.value.code == "CONFIG-053"


def test_of_the_accepted_rows_only_those_with_values_of_the_batch_are_looked_at(
    db: duckdb.DuckDBPyConnection, tmp_path: Path
):
    land_batch(db, write_batch(tmp_path / "batches", FORM, HERE), FORM)
    db.execute(
        "INSERT INTO accepted.f BY NAME SELECT 'uuid:m' || i AS _submission_id, 'm' || i AS code FROM range(9) r(i)"
    )
    some = [received(FORM, answers, uuid) for uuid, answers in NOW if uuid != "uuid:2"]
    staged = stage_batch(db, write_batch(tmp_path / "batches", FORM, some), FORM)
    for rule in rules_in(read_rules_file(write(tmp_path, UNIQUE, CHANGED)), staged, db):
        assert rule.expectation
        codes = db.execute(f"SELECT code FROM ({rule.expectation.view}) ORDER BY ALL").fetchall()
        assert codes == [("a",), ("a",), ("b",), ("b",), (None,)]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("DELETE FROM {batch}", "not a SELECT"),
        ("SELECT * FROM {batch}; DROP TABLE x", "not a SELECT"),
        ("SELECT * FROM {batch}; SELECT 1", "more than one"),
        ("COPY (SELECT * FROM {batch}) TO 'x'", "not a SELECT"),
        ("ATTACH 'x'", "not a SELECT"),
        ("SELECT * FROM {batch}, 'x.csv'", "x.csv"),
        ("SELECT * FROM {batch}, 'x.csv' f, (WITH \"x.csv\" AS (SELECT 1) SELECT 1)", "x.csv"),
        ("SELECT * FROM {batch}, accepted.f", "reads f"),
        ("SELECT * FROM {batch} WHERE n IN (SELECT n FROM read_parquet('x'))", "read_parquet"),
        ("SELECT (SELECT content FROM read_text('x')) FROM {batch}", "read_text"),
        ("SELECT * FROM {batch}, glob('*')", "glob"),
        ("SELECT * FROM {batch}, query('SELECT 1')", "query"),
        ("SELECT * FROM {batch}, duckdb_settings()", "duckdb_settings"),
        ("SELECT * FROM {batch}, (SHOW TABLES)", "shape of a table"),
        ("SELECT * FROM {batch} WHERE getenv('HOME') <> ''", "getenv"),
        ("SELECT * FROM {batch} WHERE random() > 0.5", "random"),
        ("SELECT * FROM {batch} WHERE d < current_date", "current_date"),
        ("SELECT * FROM {batch} WHERE d < now()", "now"),
        ("SELEC * FROM {batch}", "cannot read it"),
        ("WITH secret AS (SELECT * FROM secret) SELECT * FROM {batch}, secret", "secret"),
        ("SELECT * FROM {batch}, secret WHERE (WITH secret AS (SELECT 1) SELECT 1 FROM secret) = 1", "secret"),
        ("WITH RECURSIVE secret AS (SELECT * FROM secret UNION ALL SELECT 1) SELECT * FROM {batch}, secret", "secret"),
        ("SELECT * FROM {batch} USING SAMPLE 5", "sample"),
        ("SELECT * FROM {batch} TABLESAMPLE 10%", "sample"),
        ("SELECT * FROM {batch} WHERE age(d) > INTERVAL 1 YEAR", "age"),
        ("SELECT * FROM {batch} WHERE d < pg_postmaster_start_time()", "pg_postmaster_start_time"),
        ("SELECT * FROM {batch} WHERE " + "NOT " * 600 + "true", "within each other"),
        ("SELECT * FROM {batch} WHERE age(d, {today}) > INTERVAL 1 YEAR", ""),
        ("SELECT * FROM {batch:>99999999999} WHERE 'a{{1}}' = d", ""),
        ("WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 9) SELECT * FROM {batch}, T", ""),
        ("SELECT * FROM {batch} WHERE today < {today}", ""),
        ("WITH late AS (SELECT * FROM {batch}) SELECT l.* FROM late l, {main}, unnest([1, 2]), range(3)", ""),
    ],
)
def test_sql_of_people_reads_nothing_but_what_its_placeholders_stand_for(query: str, said: str):
    with duckdb.connect() as db:
        told = statement.refusal(db, query)
    assert said in told
    assert bool(said) == bool(told)


def test_every_function_of_duckdb_that_changes_from_one_time_to_the_next_is_refused():
    with duckdb.connect() as db:
        found = db.execute(
            "SELECT DISTINCT function_name FROM duckdb_functions() WHERE function_type IN ('scalar', 'aggregate') "
            "AND stability <> 'CONSISTENT'"
        ).fetchall()
    assert {name for (name,) in found} <= UNSTEADY
