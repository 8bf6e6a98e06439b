"""Every type of Great Expectations, tried on a connection that is lent: it works, or is refused with a way out."""

from __future__ import annotations

import json
import re
from pathlib import Path

import duckdb
import pytest

from dialogkit.model.staged import Staged
from dialogkit.validate import gate
from dialogkit.validate.check import check
from dialogkit.validate.refused import COMPOUND, NOT_HERE
from dialogkit.validate.suites import read_rules_file, rules_in
from tests.builders import make_form, stage_batch, write_batch
from tests.flow.test_validate_suites import TODAY

PAGE = Path(__file__).parents[2] / "docs" / "rules.md"
FORM = make_form("f", "1", [("integer", "n"), ("integer", "k"), ("text", "words"), ("integer", "gap")])
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
    "expect_compound_columns_to_be_unique": {"column_list": ["words", "gap"]},
}
#: Every type that judges a whole column or table, with arguments that the rows meet and arguments that they break.
FIGURES: dict[str, tuple[dict[str, object], dict[str, object]]] = {
    "expect_column_distinct_values_to_be_in_set": ({**COLUMN, "value_set": [*range(901)]}, {"value_set": [5]}),
    "expect_column_distinct_values_to_contain_set": ({**COLUMN, "value_set": [5]}, {"value_set": [6]}),
    "expect_column_distinct_values_to_equal_set": ({"column": "gap", "value_set": [1]}, {"value_set": [2]}),
    "expect_column_kl_divergence_to_be_less_than": (
        {"column": "gap", "partition_object": {"values": [1], "weights": [1.0]}, "threshold": 0.1},
        {"partition_object": {"values": [1, 2], "weights": [0.1, 0.9]}},
    ),
    "expect_column_max_to_be_between": ({**COLUMN, "max_value": 900}, {"max_value": 899}),
    "expect_column_mean_to_be_between": ({**COLUMN, "max_value": 900}, {"max_value": 1}),
    "expect_column_median_to_be_between": ({**COLUMN, "max_value": 900}, {"max_value": 1}),
    "expect_column_min_to_be_between": ({**COLUMN, "min_value": 0}, {"min_value": 6}),
    "expect_column_most_common_value_to_be_in_set": ({"column": "gap", "value_set": [1]}, {"value_set": [2]}),
    "expect_column_proportion_of_non_null_values_to_be_between": (
        {"column": "gap", "max_value": 0.95},
        {"max_value": 0.5},
    ),
    "expect_column_proportion_of_unique_values_to_be_between": (
        {"column": "gap", "max_value": 0.5},
        {"max_value": 0.01},
    ),
    "expect_column_quantile_values_to_be_between": (
        {**COLUMN, "quantile_ranges": {"quantiles": [0.5], "value_ranges": [[0, 900]]}},
        {"quantile_ranges": {"quantiles": [0.5], "value_ranges": [[800, 900]]}},
    ),
    "expect_column_stdev_to_be_between": ({**COLUMN, "max_value": 900}, {"max_value": 1}),
    "expect_column_sum_to_be_between": ({**COLUMN, "max_value": 2000}, {"max_value": 1}),
    "expect_column_unique_value_count_to_be_between": ({**COLUMN, "max_value": 900}, {"max_value": 1}),
    "expect_table_row_count_to_be_between": ({"max_value": 900}, {"max_value": 1}),
    "expect_table_row_count_to_equal": ({"value": 10}, {"value": 1}),
}


@pytest.fixture
def staged(db: duckdb.DuckDBPyConnection, tmp_path: Path) -> Staged:
    rows = [{"n": str(i * 5), "k": str(i), "words": f"word{i % 2}", "gap": "1"} for i in range(9)]
    return stage_batch(db, write_batch(tmp_path, FORM, [*rows, {"n": "900", "k": "5", "words": "longer"}]), FORM)


def written(kind: str, arguments: dict[str, object], code: str = "") -> str:
    """A rule of a file; values of TOML look like those of JSON but for tables in them."""
    lines = ["[[rule]]", f'code = "{code or kind}"', f'type = "{kind}"', 'action = "note"', 'message.en = "No."']
    return "\n".join([*lines, *(f"{key} = {toml(value)}" for key, value in arguments.items())])


def toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {toml(part)}" for key, part in value.items()) + "}"
    return json.dumps(value)


def test_every_type_is_known_here():
    """A new version of Great Expectations with another type is noticed."""
    rows = {kind for kind in gate.types() - NOT_HERE.keys() if gate.names_rows(kind)}
    assert rows == SAMPLES.keys()
    assert gate.types() - NOT_HERE.keys() - rows == FIGURES.keys()
    # One type goes with an extension that is not installed.
    assert NOT_HERE.keys() - gate.types() <= {"expect_column_values_to_match_json_schema"}


def test_every_type_that_judges_rows_names_as_many_as_it_counts(
    db: duckdb.DuckDBPyConnection, staged: Staged, tmp_path: Path
):
    path = tmp_path / "f.toml"
    path.write_text("\n".join(written(kind, arguments) for kind, arguments in SAMPLES.items()))
    report = check(db, staged, rules_in(read_rules_file(path), staged, db), today=TODAY)
    named = dict(
        db.execute("SELECT rule, count(DISTINCT submission_id) FROM stage_violations GROUP BY rule").fetchall()
    )
    assert [result.code for result in report.results if not result.evaluated or not result.violations] == []
    assert {result.code: result.violations for result in report.results} == named


def test_every_other_type_tells_a_whole_that_is_right_from_one_that_is_wrong(
    db: duckdb.DuckDBPyConnection, staged: Staged, tmp_path: Path
):
    path = tmp_path / "f.toml"
    rules = [written(kind, good, f"{kind}:good") for kind, (good, _) in FIGURES.items()]
    rules += [written(kind, good | bad, f"{kind}:bad") for kind, (good, bad) in FIGURES.items()]
    path.write_text("\n".join(rules))
    report = check(db, staged, rules_in(read_rules_file(path), staged, db), today=TODAY)
    assert [result.code for result in report.results if not result.evaluated] == []
    assert {result.code: result.violations for result in report.results} == {
        f"{kind}:{name}": number for kind in FIGURES for name, number in (("good", 0), ("bad", 1))
    }


def row(kind: str) -> tuple[str, str]:
    """A type and what the page says of it."""
    if kind in NOT_HERE:
        return kind, NOT_HERE[kind]
    if kind == COMPOUND:
        return kind, "names rows; runs as SQL of ours"
    return kind, "names rows" if gate.names_rows(kind) else "note only: a figure of all rows"


def test_the_page_says_of_every_type_what_it_does_here():
    told = re.findall(r"^\| `(\w*expect\w*)` \| (.+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert told == sorted(map(row, gate.types()))
