"""The text of a number as Java writes it, in SQL."""

from __future__ import annotations

from dialogkit.logic.sql_let import let


def java_text(number: str) -> str:
    """XPath `string()` of a number that is not NULL: `7`, `2.5`, `1.0E-4`, `3.0E9`."""
    return (
        f"CASE WHEN abs({number}) < 1e-12 THEN '0' "
        f"WHEN abs({number}) <= 2147483647 AND abs({number} - trunc({number})) < 1e-12 "
        f"THEN CAST(CAST(trunc({number}) AS BIGINT) AS VARCHAR) ELSE {java_double(number)} END"
    )


def java_double(number: str) -> str:
    """`Double.toString` of Java: with an exponent outside of 0.001 … 10,000,000, always with a fraction."""
    return (
        f"CASE WHEN {number} = 0 OR (abs({number}) >= 1e-3 AND abs({number}) < 1e7) THEN CAST({number} AS VARCHAR) "
        f"ELSE CASE WHEN {number} < 0 THEN '-' ELSE '' END || CASE WHEN isinf({number}) THEN 'Infinity' "
        f"ELSE {let(f'CAST(abs({number}) AS VARCHAR)', _scientific)} END END"
    )


def _scientific(written: str) -> str:
    """DuckDB's text of a number above 0 (`0.00015`, `1e+22`, `12345678.5`) with Java's mantissa and exponent."""
    digits = f"trim(replace(split_part({written}, 'e', 1), '.', ''), '0')"
    exponent = (
        f"CASE WHEN contains({written}, 'e') THEN CAST(split_part({written}, 'e', 2) AS INTEGER) "
        f"WHEN starts_with({written}, '0.') THEN -1 - length(regexp_extract({written}, '^0[.](0*)', 1)) "
        f"ELSE strpos({written}, '.') - 2 END"
    )
    return f"{let(digits, _mantissa)} || 'E' || {exponent}"


def _mantissa(digits: str) -> str:
    return f"{digits}[1] || '.' || CASE WHEN length({digits}) > 1 THEN {digits}[2:] ELSE '0' END"
