"""What Great Expectations' types can do on the landing's connection, and the way out where they cannot.

Found by trying each type of Great Expectations 1.24 on DuckDB with rows that meet it and rows that break it;
tests/flow/test_validate_kinds.py tries them again and knows every type, so that a new version is noticed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

QUERY_TYPE: Final = "unexpected_rows_expectation"
UNIQUE: Final = "expect_column_values_to_be_unique"
#: Great Expectations' own query for it names no rows on DuckDB; ours does, and runs as `QUERY_TYPE`.
COMPOUND: Final = "expect_compound_columns_to_be_unique"
#: What these say of a row may depend on other rows.
AMONG_ROWS: Final = frozenset({QUERY_TYPE, UNIQUE, COMPOUND, "expect_column_value_z_scores_to_be_less_than"})

_AS_QUERY: Final = (
    'Write it as type = "unexpected_rows_expectation" with unexpected_rows_query = '
    "\"SELECT * FROM {batch} WHERE NOT regexp_full_match(name, '…')\" (double the braces of the pattern)."
)
_IN_ORDER: Final = (
    'Write it as type = "unexpected_rows_expectation" with unexpected_rows_query = '
    '"SELECT * FROM {batch} QUALIFY a < lag(a) OVER (ORDER BY b)": rows of a table have no order of their own.'
)
_BY_FORM: Final = "Leave it out: the form's own types are checked as FORM-TYPE."
_NOT_A_TABLE: Final = (
    "Leave it out: which tables and columns there are is made of the form, and a column that is not there is refused "
    "when the rules are read."
)
#: Types that Great Expectations cannot evaluate on DuckDB, whose rows it cannot name there, or that say nothing of
#: answers, each with the way out.
NOT_HERE: Final[Mapping[str, str]] = {
    "expect_column_values_to_be_of_type": _BY_FORM,
    "expect_column_values_to_be_in_type_list": _BY_FORM,
    "expect_column_type_to_be": _BY_FORM,
    "expect_column_values_to_not_be_outliers": "Write it as expect_column_value_z_scores_to_be_less_than.",
    "expect_column_values_to_be_increasing": _IN_ORDER,
    "expect_column_values_to_be_decreasing": _IN_ORDER,
    "expect_query_results_to_match_comparison": (
        'Write both sides in one query: type = "unexpected_rows_expectation", with {main} or the name of a repeat in '
        "braces for another table."
    ),
    "expect_table_row_count_to_equal_other_table": (
        'Write it as type = "unexpected_rows_expectation" with a query that counts the rows of the other table, which '
        "stands in braces: {main} or the name of a repeat."
    ),
    **dict.fromkeys(
        (
            "expect_column_to_exist",
            "expect_table_column_count_to_be_between",
            "expect_table_column_count_to_equal",
            "expect_table_columns_to_match_ordered_list",
            "expect_table_columns_to_match_set",
        ),
        _NOT_A_TABLE,
    ),
    **dict.fromkeys(
        (
            "expect_column_values_to_match_strftime_format",
            "expect_column_values_to_be_dateutil_parseable",
            "expect_column_values_to_be_json_parseable",
            "expect_column_values_to_match_json_schema",
        ),
        _AS_QUERY,
    ),
    **{
        f"expect_column_values_to_{negation}match_{pattern}{several}": _AS_QUERY
        for negation in ("", "not_")
        for pattern in ("regex", "like_pattern")
        for several in ("", "_list")
    },
}

#: Arguments that every type takes and that lose rows, hide errors or do nothing here.
ARGUMENTS: Final[Mapping[str, str]] = {
    "row_condition": "Write it as when: its own condition is left out of the query of rows.",
    "condition_parser": "Leave it out; write the condition as when.",
    **dict.fromkeys(
        ("id", "meta", "notes", "result_format", "catch_exceptions", "rendered_content", "windows", "description"),
        "Leave it out: dialogkit sets it itself.",
    ),
    "ignore_row_if": "Leave it out: a rule over several columns judges rows where all of them are answered.",
    "severity": "Leave it out: action says what a violation does.",
    "library_metadata": "Leave it out: it says nothing of the data.",
}
