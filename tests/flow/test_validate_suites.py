"""Rules of people: `validations/<form_id>.toml` in Great Expectations' own types, and its verdict over rows."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import pytest

from dialogkit.errors import ConfigError
from dialogkit.model.report import Report
from dialogkit.model.staged import Staged
from dialogkit.model.submission import Answers
from dialogkit.validate.check import check
from dialogkit.validate.decide import decide
from dialogkit.validate.suites import read_rules_file, rules_in
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
    return check(db, staged, rules_in(read_rules_file(path), staged, db), today=TODAY)


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
        (
            'type = "expect_compound_columns_to_be_unique"\ncolumn_list = ["words", "kind"]',
            ["1", "2"],
        ),
        (
            'type = "unexpected_rows_expectation"\nunexpected_rows_query = '
            "\"SELECT * FROM {batch} WHERE _origin <> 'server' OR _submitted_at IS NULL OR first = {today}\"",
            [],
        ),
        (
            'type = "unexpected_rows_expectation"\nunexpected_rows_query = "SELECT * FROM {batch} b WHERE '
            '(SELECT count(*) FROM {row} r WHERE r._submission_id = b._submission_id) > 1"',
            ["1"],
        ),
        (
            'type = "unexpected_rows_expectation"\nunexpected_rows_query = '
            "\"SELECT * FROM {batch} WHERE replace(words, 'other', ' :who') = ' :who secret'\"",
            ["3"],
        ),
        (
            'type = "unexpected_rows_expectation"\ntable = "row"\nunexpected_rows_query = "SELECT b.* FROM {batch} b '
            'JOIN {main} m USING (_submission_id) WHERE b.size > m.n"',
            ["1/2"],
        ),
    ],
)
def test_a_rule_names_the_rows_that_great_expectations_counts(
    db: duckdb.DuckDBPyConnection, staged: Staged, tmp_path: Path, rule: str, expected: list[str]
) -> None:
    (result,) = run(db, staged, write(tmp_path, rule)).results
    assert (result.evaluated, result.violations) == (True, len(expected))
    assert broken(db) == expected


IN_SET = 'type = "expect_column_values_to_be_in_set"\ncolumn = "kind"\nvalue_set = ["x"]'
AS_QUERY = (
    'type = "unexpected_rows_expectation"\nunexpected_rows_query = "SELECT * FROM {batch} WHERE n > 60"\n'
    "when = \"${n} != ''\""
)


@pytest.mark.parametrize(
    ("rule", "mostly", "action"),
    [(IN_SET, 0.6, "note"), (IN_SET, 0.7, "hold"), (AS_QUERY, 0.6, "note"), (AS_QUERY, 0.7, "hold")],
)
def test_within_mostly_the_rows_that_break_a_rule_are_noted_and_above_it_held(
    db: duckdb.DuckDBPyConnection, staged: Staged, tmp_path: Path, rule: str, mostly: float, action: str
) -> None:
    """One of the three rows that have an answer breaks it; the blank one is not judged."""
    (result,) = run(db, staged, write(tmp_path, f"{rule}\nmostly = {mostly}")).results
    assert (result.evaluated, result.violations, result.action) == (True, 1, action)
    assert db.execute("SELECT DISTINCT action FROM stage_violations").fetchall() == [(action,)]
    assert broken(db) == ["3"]


def test_every_row_that_breaks_a_rule_is_named(db: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """Great Expectations itself gives at most 200 rows; here all are held, each with every reason."""
    answers: list[Answers] = [{"kind": "y", "n": "70"} for _ in range(450)]
    staged = stage_batch(db, write_batch(tmp_path / "batches", FORM, answers), FORM)
    report = run(db, staged, write(tmp_path, IN_SET, AS_QUERY))
    assert [result.violations for result in report.results] == [450, 450]
    decide(db, staged, report, "hold")
    held = db.execute("SELECT count(*), any_value(reason) FROM stage_decision WHERE state = 'held'").fetchone()
    assert held == (450, "R1, R2")


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


@pytest.mark.parametrize(
    ("query", "evaluated", "violations"),
    [
        ("SELECT NULL AS _submission_id, '' AS _row FROM {batch}", False, 0),
        ("SELECT _submission_id, words AS _row FROM {batch}", False, 0),
        ("SELECT 'uuid:nobody' AS _submission_id, '' AS _row FROM {batch}", False, 0),
        ("SELECT b.* FROM {batch} b JOIN {row} r USING (_submission_id)", True, 1),
        ("SELECT _submission_id, NULL AS _row FROM {batch} WHERE n > 60 -- too many", True, 1),
    ],
)
def test_a_query_names_places_only_and_each_once(
    db: duckdb.DuckDBPyConnection, staged: Staged, tmp_path: Path, query: str, evaluated: bool, violations: int
) -> None:
    rule = f'type = "unexpected_rows_expectation"\nunexpected_rows_query = "{query}"'
    (result,) = run(db, staged, write(tmp_path, rule)).results
    assert (result.evaluated, result.violations) == (evaluated, violations)
    assert db.execute("SELECT count(*) FROM stage_violations").fetchone() == (violations,)


def test_without_a_file_there_are_no_rules(db: duckdb.DuckDBPyConnection, staged: Staged, tmp_path: Path) -> None:
    assert rules_in(read_rules_file(tmp_path / "f.toml"), staged, db) == ()


QUERY = 'type = "unexpected_rows_expectation"\nunexpected_rows_query = "SELECT * FROM {batch}"'
BETWEEN = 'type = "expect_column_values_to_be_between"\ncolumn = "n"\nmax_value = 5'


@pytest.mark.parametrize(
    ("code", "rules", "said"),
    [
        ("CONFIG-020", ["not toml"], "TOML"),
        ("CONFIG-020", ["a = " + "[" * 9_000], "TOML"),
        ("CONFIG-020", [BETWEEN + "\n[other]\na = 1"], "nothing but rules, and other is none"),
        ("CONFIG-020", [BETWEEN + "\n[[rules]]\na = 1"], "Did you mean rule? Write [[rule]]"),
        ("CONFIG-021", [BETWEEN + '\naction = "stop"'], "hold"),
        ("CONFIG-021", [BETWEEN + '\nmessage.en = "x"\nmessage.de = "y"'], "de is not one of en, fr, es"),
        ("CONFIG-021", [BETWEEN + '\nmessage.en = ""'], "no text"),
        ("CONFIG-021", [BETWEEN + '\nmessage.fr = "x"\n#message.en ='], "no message"),
        ("CONFIG-058", [BETWEEN + '\ncode = "FORM-7 x"'], "of your own"),
        ("CONFIG-058", [BETWEEN + '\ncode = "quality-1"'], "QUALITY-"),
        ("CONFIG-058", [BETWEEN + '\ncode = "CORRECTION-PLACE"'], "CORRECTION-"),
        ("CONFIG-021", [BETWEEN + "\nwhen = 1"], "texts"),
        ("CONFIG-021", [BETWEEN + '\ncode = ""'], "no code"),
        ("CONFIG-022", ['type = "expect_column_values_to_be_beetween"\ncolumn = "n"'], "Did you mean"),
        ("CONFIG-023", [BETWEEN.replace('"n"', '"kind"')], "kind is a text"),
        ("CONFIG-023", [BETWEEN + "\nmaximum = 1"], "no argument maximum"),
        ("CONFIG-023", [BETWEEN.replace("5", "[1]")], "refuses max_value: "),
        ("CONFIG-023", [BETWEEN + '\nmin_value = "one"'], "refuses min_value: value is not a valid float."),
        ("CONFIG-023", [BETWEEN + '\nrow_condition = "n > 1"'], "when"),
        ("CONFIG-024", ['type = "expect_column_values_to_be_null"\ncolumn = "nn"'], "Did you mean n"),
        ("CONFIG-023", ['type = "expect_column_values_to_be_null"\ncolumn = []'], "refuses column: "),
        ("CONFIG-024", ['type = "expect_column_values_to_be_null"\ncolumn = "size"'], "table = "),
        ("CONFIG-024", ['type = "expect_column_values_to_be_null"\ntable = "rows"\ncolumn = "size"'], "mean row"),
        ("CONFIG-025", ['type = "expect_column_values_to_match_regex"\ncolumn = "n"\nregex = "a"'], "{batch}"),
        ("CONFIG-025", ['type = "expect_column_values_to_match_like_pattern"\ncolumn = "n"'], "{batch}"),
        ("CONFIG-025", ['type = "expect_column_values_to_be_increasing"\ncolumn = "n"'], "lag("),
        ("CONFIG-026", ['type = "expect_column_mean_to_be_between"\ncolumn = "n"\nmax_value = 1'], "note"),
        ("CONFIG-027", [BETWEEN + '\nwhen = "${nobody} = 1"'], "nobody"),
        ("CONFIG-027", [BETWEEN + '\nwhen = "random() > 1"'], "random"),
        ("CONFIG-052", [BETWEEN + "\nmostly = 2"], "mostly = 0.95"),
        (
            "CONFIG-052",
            ['type = "expect_column_mean_to_be_between"\ncolumn = "n"\nmostly = 0.5\naction = "note"'],
            "counts no rows",
        ),
        ("CONFIG-053", [BETWEEN + '\nscope = "all"'], "scope"),
        ("CONFIG-053", [BETWEEN + '\nscope = "form"'], "not judged over the whole form"),
        ("CONFIG-053", [BETWEEN + '\nby = ["n"]'], "no meaning"),
        ("CONFIG-053", [QUERY + '\nscope = "form"\nby = "n"'], "not a list"),
        ("CONFIG-054", [QUERY.replace("{batch}", "{batch}, {rwo}")], "mean row"),
        ("CONFIG-054", [QUERY.replace("{batch}", "{main}")], "{batch} is not in its query"),
        ("CONFIG-055", [QUERY.replace("{batch}", "{batch}, read_csv('x')")], "read_csv"),
        ("CONFIG-028", [BETWEEN + '\ncode = "A"', BETWEEN + '\ncode = "A"'], "twice"),
    ],
)
def test_a_rule_that_cannot_work_is_refused_with_file_rule_and_way_out(
    db: duckdb.DuckDBPyConnection, staged: Staged, tmp_path: Path, code: str, rules: list[str], said: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        rules_in(read_rules_file(write(tmp_path, *rules)), staged, db)
    error = caught.value
    assert (error.code, error.exit_code) == (code, 3)
    assert error.where.startswith("validations/f.toml")
    assert said in f"{error.message} {error.fix}"
    assert "\n" not in error.message


def test_every_problem_of_a_file_is_told_at_once(db: duckdb.DuckDBPyConnection, staged: Staged, tmp_path: Path) -> None:
    path = write(tmp_path, BETWEEN + "\nmaximum = 1\nwindows = 1", 'type = "nothing"\naction = "stop"', QUERY)
    with pytest.raises(ConfigError) as caught:
        rules_in(read_rules_file(path), staged, db)
    told = [*(problem.code for problem in caught.value.problems), caught.value.code]
    assert told == ["CONFIG-023", "CONFIG-023", "CONFIG-021", "CONFIG-022"]
