"""Rules of people: `validations/<form_id>.toml` in Great Expectations' own types, and its verdict over rows."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import pytest

from dialogkit.bundled import bundled
from dialogkit.errors import ConfigError
from dialogkit.forms.build import build_form
from dialogkit.model.form import Form
from dialogkit.model.report import Report
from dialogkit.model.staged import Staged
from dialogkit.model.submission import Answers
from dialogkit.validate import gate
from dialogkit.validate.check import check
from dialogkit.validate.suites import NOT_HERE, read_suite
from tests.builders import make_form, stage_batch, write_batch

TODAY = date(2026, 11, 21)
FORM = make_form(
    "f",
    "1",
    [
        ("text", "kind"),
        ("integer", "n"),
        ("integer", "k"),
        ("date", "first"),
        ("date", "last"),
        ("select_multiple", "ticks", {"choices": ["a", "b"]}),
        ("text", "words"),
        ("repeat", "row"),
        ("integer", "row/size"),
    ],
)
ROWS: list[Answers] = [
    {"kind": "x", "n": "5", "k": "5", "first": "2026-01-01", "last": "2026-01-02", "ticks": "a", "words": "same",
     "row": [{"row/size": "1"}, {"row/size": "9"}]},
    {"kind": "x", "n": "50", "k": "4", "first": "2026-01-02", "last": "2026-01-01", "ticks": "a b", "words": "same"},
    {"kind": "y", "n": "500", "k": "1", "words": "other secret"},
    {},
]  # fmt: skip


@pytest.fixture
def staged(db: duckdb.DuckDBPyConnection, tmp_path: Path) -> Staged:
    return stage_batch(db, write_batch(tmp_path / "batches", FORM, ROWS), FORM)


def write(tmp_path: Path, *rules: str) -> Path:
    """A file of rules, each with what it has not itself said."""
    path = tmp_path / "f.toml"
    given = {"code": "R{n}", "action": "hold", "message.en": "Not so."}
    parts = []
    for number, rule in enumerate(rules, 1):
        lines = [f'{key} = "{value.format(n=number)}"' for key, value in given.items() if f"{key} =" not in rule]
        parts.append("\n".join(["[[rule]]", *lines, rule]))
    path.write_text("\n".join(parts), encoding="utf-8")
    return path


def run(db: duckdb.DuckDBPyConnection, staged: Staged, path: Path) -> Report:
    return check(db, staged, read_suite(path, staged), today=TODAY)


def broken(db: duckdb.DuckDBPyConnection, rule: str = "R1") -> list[str]:
    """Submission (its number) and row of each violation: `1`, or `1/2` for the second row of a repeat."""
    found = db.execute(
        "SELECT replace(submission_id, 'uuid:', '') || CASE WHEN row = '' THEN '' ELSE '/' || row END "
        "FROM stage_violations WHERE rule = ? ORDER BY ALL",
        [rule],
    )
    return [place for (place,) in found.fetchall()]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ('type = "expect_column_values_to_be_between"\ncolumn = "n"\nmax_value = 60', ["3"]),
        ('type = "expect_column_values_to_be_between"\ncolumn = "n"\nmax_value = 5\nwhen = "${kind} = \'x\'"', ["2"]),
        ('type = "expect_column_values_to_not_be_null"\ncolumn = "kind"', ["4"]),
        ('type = "expect_column_values_to_be_null"\ncolumn = "n"\nwhen = "${n} > 10 and ${last} < today()"', ["2"]),
        ('type = "expect_column_values_to_be_in_set"\ncolumn = "kind"\nvalue_set = ["x"]', ["3"]),
        ('type = "expect_column_values_to_be_in_set"\ncolumn = "ticks"\nvalue_set = ["a"]', ["2"]),
        ('type = "expect_column_values_to_be_unique"\ncolumn = "words"', ["1", "2"]),
        ('type = "expect_column_value_lengths_to_be_between"\ncolumn = "words"\nmax_value = 5', ["3"]),
        (
            'type = "expect_column_pair_values_a_to_be_greater_than_b"\ncolumn_A = "last"\ncolumn_B = "first"',
            ["2"],
        ),
        ('type = "expect_column_pair_values_to_be_equal"\ncolumn_A = "n"\ncolumn_B = "k"', ["2", "3"]),
        ('type = "expect_multicolumn_sum_to_equal"\ncolumn_list = ["n", "k"]\nsum_total = 10', ["2", "3"]),
        (
            'type = "expect_select_column_values_to_be_unique_within_record"\ncolumn_list = ["n", "k"]',
            ["1"],
        ),
        ('type = "expect_column_values_to_be_between"\ntable = "row"\ncolumn = "size"\nmax_value = 5', ["1/2"]),
        (
            'type = "expect_column_values_to_be_null"\ntable = "row"\ncolumn = "size"\nwhen = "${size} < ${n}"',
            ["1/1"],
        ),
        (
            'type = "unexpected_rows_expectation"\nunexpected_rows_query = '
            "\"SELECT * FROM {batch} WHERE NOT regexp_full_match(words, '[a-z]{{4}}')\"",
            ["3"],
        ),
        ('type = "expect_column_values_to_be_in_set"\ncolumn = "kind"\nvalue_set = ["x"]\nmostly = 0.5', []),
    ],
)
def test_a_rule_names_the_rows_that_great_expectations_counts(
    db: duckdb.DuckDBPyConnection, staged: Staged, tmp_path: Path, rule: str, expected: list[str]
) -> None:
    (result,) = run(db, staged, write(tmp_path, rule)).results
    assert (result.evaluated, result.violations) == (True, len(expected))
    assert broken(db) == expected


def test_an_expectation_that_names_no_rows_is_a_note_that_counts_once(
    db: duckdb.DuckDBPyConnection, staged: Staged, tmp_path: Path
) -> None:
    rule = 'type = "expect_column_mean_to_be_between"\ncolumn = "n"\nmax_value = 1\naction = "note"'
    (result,) = run(db, staged, write(tmp_path, rule)).results
    assert (result.evaluated, result.violations, broken(db)) == (True, 1, [])


def test_a_rule_that_fails_while_it_runs_says_nothing_and_quotes_no_answer(
    db: duckdb.DuckDBPyConnection,
    staged: Staged,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    bad = 'type = "unexpected_rows_expectation"\nunexpected_rows_query = "SELECT * FROM {batch} WHERE words::INT > 1"'
    good = 'type = "expect_column_values_to_be_unique"\ncolumn = "words"'
    other = 'type = "expect_column_values_to_be_between"\ncolumn = "n"\nmax_value = 60'
    caplog.set_level("DEBUG")
    report = run(db, staged, write(tmp_path, good, bad, other))
    assert [(result.evaluated, result.violations) for result in report.results] == [(True, 2), (False, 0), (True, 1)]
    assert broken(db, "R2") == []
    assert "secret" not in repr(report)
    assert caplog.text == ""
    assert capfd.readouterr() == ("", "")


def test_a_query_that_names_other_rows_than_it_counts_is_not_evaluated(
    db: duckdb.DuckDBPyConnection, staged: Staged, tmp_path: Path
) -> None:
    rule = 'type = "unexpected_rows_expectation"\nunexpected_rows_query = "SELECT count(*) AS c FROM {batch}"'
    (result,) = run(db, staged, write(tmp_path, rule)).results
    assert (result.evaluated, result.violations) == (False, 0)


def test_without_a_file_there_are_no_rules(staged: Staged, tmp_path: Path) -> None:
    assert read_suite(tmp_path / "f.toml", staged) == ()


BETWEEN = 'type = "expect_column_values_to_be_between"\ncolumn = "n"\nmax_value = 5'


@pytest.mark.parametrize(
    ("code", "rules", "said"),
    [
        ("CONFIG-020", ["not toml"], "TOML"),
        ("CONFIG-020", [BETWEEN + "\n[other]\na = 1"], "nothing but rules"),
        ("CONFIG-021", [BETWEEN + '\naction = "stop"'], "hold"),
        ("CONFIG-021", [BETWEEN + '\nmessage.en = "x"\nmessage.de = "y"'], "message.fr"),
        ("CONFIG-021", [BETWEEN + "\nwhen = 1"], "texts"),
        ("CONFIG-021", [BETWEEN + '\ncode = ""'], "no code"),
        ("CONFIG-022", ['type = "expect_column_values_to_be_beetween"\ncolumn = "n"'], "Did you mean"),
        ("CONFIG-023", [BETWEEN + "\nmaximum = 1"], "no argument maximum"),
        ("CONFIG-023", ['type = "expect_column_values_to_be_between"\ncolumn = "n"\nmax_value = [1]'], "refuses"),
        ("CONFIG-023", [BETWEEN + '\nrow_condition = "n > 1"'], "when"),
        ("CONFIG-024", ['type = "expect_column_values_to_be_null"\ncolumn = "nn"'], "Did you mean n"),
        ("CONFIG-024", ['type = "expect_column_values_to_be_null"\ncolumn = "size"'], "table = "),
        ("CONFIG-024", ['type = "expect_column_values_to_be_null"\ntable = "rows"\ncolumn = "size"'], "mean row"),
        ("CONFIG-025", ['type = "expect_column_values_to_match_regex"\ncolumn = "n"\nregex = "a"'], "{batch}"),
        ("CONFIG-025", ['type = "expect_column_values_to_match_like_pattern"\ncolumn = "n"'], "{batch}"),
        ("CONFIG-025", ['type = "expect_compound_columns_to_be_unique"\ncolumn_list = ["n", "k"]'], "PARTITION BY"),
        ("CONFIG-026", ['type = "expect_column_mean_to_be_between"\ncolumn = "n"\nmax_value = 1'], "note"),
        ("CONFIG-027", [BETWEEN + '\nwhen = "${nobody} = 1"'], "nobody"),
        ("CONFIG-027", [BETWEEN + '\nwhen = "random() > 1"'], "random"),
        ("CONFIG-028", [BETWEEN + '\ncode = "A"', BETWEEN + '\ncode = "A"'], "twice"),
    ],
)
def test_a_rule_that_cannot_work_is_refused_with_file_rule_and_way_out(
    staged: Staged, tmp_path: Path, code: str, rules: list[str], said: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        read_suite(write(tmp_path, *rules), staged)
    error = caught.value
    assert (error.code, error.exit_code) == (code, 3)
    assert "f.toml" in error.where
    assert said in f"{error.message} {error.fix}"
    assert "\n" not in error.message


COLUMN, PAIR, LIST = {"column": "n"}, {"column_A": "n", "column_B": "k"}, {"column_list": ["n", "k"]}
#: Every type that judges rows, with arguments that some rows break.
SAMPLES: dict[str, dict[str, object]] = {
    "expect_column_values_to_be_between": {**COLUMN, "max_value": 10},
    "expect_column_values_to_be_in_set": {**COLUMN, "value_set": [5]},
    "expect_column_values_to_not_be_in_set": {**COLUMN, "value_set": [5]},
    "expect_column_values_to_be_null": COLUMN,
    "expect_column_values_to_not_be_null": {"column": "gap"},
    "expect_column_values_to_be_unique": {"column": "words"},
    "expect_column_value_lengths_to_be_between": {"column": "words", "min_value": 6},
    "expect_column_value_lengths_to_equal": {"column": "words", "value": 6},
    "expect_column_value_z_scores_to_be_less_than": {**COLUMN, "threshold": 1, "double_sided": True},
    "expect_column_pair_values_to_be_equal": PAIR,
    "expect_column_pair_values_a_to_be_greater_than_b": {"column_A": "k", "column_B": "n"},
    "expect_column_pair_values_to_be_in_set": {**PAIR, "value_pairs_set": [[5, 5]]},
    "expect_multicolumn_sum_to_equal": {**LIST, "sum_total": 10},
    "expect_multicolumn_values_to_be_equal": LIST,
    "expect_select_column_values_to_be_unique_within_record": LIST,
    "unexpected_rows_expectation": {"unexpected_rows_query": "SELECT * FROM {batch} WHERE n > 10"},
}


def test_every_type_of_great_expectations_that_judges_rows_is_refused_or_names_them(
    db: duckdb.DuckDBPyConnection,
) -> None:
    assert {name for name in gate.types() if gate.names_rows(name)} - NOT_HERE.keys() == SAMPLES.keys()
    db.execute(
        "CREATE TEMP TABLE sample AS SELECT i::VARCHAR AS _submission_id, '' AS _row, i * 5 AS n, i AS k, "
        "'word' || i % 2 AS words, 1 AS gap FROM range(9) r(i) UNION ALL SELECT '9', '', 900, 5, 'longer', NULL"
    )
    verdicts = gate.judge(db, [gate.Expected(name, "sample", name, SAMPLES[name]) for name in SAMPLES])
    for verdict in verdicts.values():
        assert verdict.evaluated
        assert verdict.unexpected > 0
        assert len(db.execute(verdict.rows_query).fetchall()) == verdict.unexpected


FORMS = sorted(path.stem for path in bundled("forms").glob("*.xlsx"))


@pytest.mark.parametrize("form_id", FORMS)
def test_the_shipped_rules_are_evaluated_on_the_shipped_forms(
    db: duckdb.DuckDBPyConnection, tmp_path: Path, form_id: str
) -> None:
    form: Form = build_form(bundled("forms") / f"{form_id}.xlsx").form
    batch = write_batch(tmp_path, form, [{"gate": "1", "adult_confirm": "yes", "consent_record": "yes"}])
    staged = stage_batch(db, batch, form)
    rules = read_suite(bundled("validations") / f"{form_id}.toml", staged)
    assert rules
    assert all(set(rule.messages) == {"en", "fr", "es"} for rule in rules)
    report = check(db, staged, rules, today=TODAY)
    assert [result.code for result in report.results if result.violations or not result.evaluated] == []
