"""SQL that people write in a rule: its placeholders, and that it only reads the rows that they stand for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from string import Formatter
from typing import Any, Final

import duckdb

from dialogkit.validate.rule import Expectation

#: Stands for the rows of the rule, for Great Expectations too.
BATCH: Final = "batch"
#: Stands for the day of the pull.
TODAY: Final = "today"
#: Functions over nothing but their arguments that give rows.
_TABLE_FUNCTIONS: Final = frozenset({"unnest", "range", "generate_series"})
#: Functions that give something else the next time, so that the same batch would be judged otherwise when it is landed
#: again, or that tell of more than the rows. A test compares the list with what DuckDB says of its functions.
UNSTEADY: Final = frozenset(
    {
        "currval",
        "nextval",
        "setval",
        "random",
        "setseed",
        "uuid",
        "uuidv4",
        "uuidv7",
        "gen_random_uuid",
        "sleep_ms",
        "write_log",
        "error",
        "stats",
        "vector_type",
        "current_query",
        "current_query_id",
        "current_connection_id",
        "current_transaction_id",
        "txid_current",
        "transaction_timestamp",
        "now",
        "today",
        "get_current_time",
        "get_current_timestamp",
        "current_date",
        "current_time",
        "current_timestamp",
        "current_localtime",
        "current_localtimestamp",
        "localtime",
        "localtimestamp",
        "getenv",
        "getvariable",
        "current_setting",
        "current_schema",
        "current_schemas",
        "current_database",
        "current_catalog",
        "current_user",
        "session_user",
        "user",
        "in_search_path",
        "pg_conf_load_time",
        "pg_postmaster_start_time",
        "pg_sleep",
    }
)
_BARE: Final = frozenset({"current_date", "current_time", "current_timestamp", "localtime", "localtimestamp"})
#: The name under which a rule in SQL reads its rows.
_ROWS: Final = "rows_of_batch"
#: The name of what it gives: DuckDB says it of a column that is not there.
FOUND: Final = "rows_found"
#: As SQLAlchemy finds the parameters of a text.
_PARAMETER: Final = re.compile(r"(?<![:\w\\]):(\w+)(?!:)")
_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def placeholders(query: str) -> list[str]:
    """The names in single braces, each once.

    Raises:
        ValueError: a brace has no partner.
    """
    return list(dict.fromkeys(name for _, name, _, _ in Formatter().parse(query) if name is not None))


def place(query: str, names: Mapping[str, str]) -> str:
    """The query with some placeholders replaced; others, and doubled braces, stay as Great Expectations reads them."""
    parts = []
    for literal, name, _, _ in Formatter().parse(query):
        parts.append(literal.replace("{", "{{").replace("}", "}}"))
        if name is not None:
            parts.append(names.get(name, f"{{{name}}}"))
    return "".join(parts)


def placed(expectation: Expectation, views: Mapping[str, str]) -> Mapping[str, Any]:
    """The arguments of an expectation with the placeholders of other tables replaced.

    Args:
        expectation: of a rule.
        views: text of a view → its name.
    """
    if not expectation.others:
        return expectation.arguments
    names = {name: views[text] for name, text in expectation.others.items()}
    query = str(expectation.arguments["unexpected_rows_query"])
    return {**expectation.arguments, "unexpected_rows_query": place(query, names)}


def wrapped(query: str, submissions: str) -> str:
    """A query that may give `{batch}` an alias, and whose rows are named once each.

    Great Expectations puts a subquery with an alias of its own for `{batch}`. A query that names no submission that
    the rule may name, or gives something else than a place as the row (an answer, say), fails: nothing of it may stand
    among violations.

    Args:
        query: as people wrote it.
        submissions: a query of the ids that it may give; empty where others are left out later.
    """
    foreign = f"OR {FOUND}._submission_id NOT IN ({submissions}) " if submissions else ""
    return (
        f"WITH {_ROWS} AS (SELECT * FROM {{batch}}) SELECT DISTINCT CASE WHEN {FOUND}._submission_id IS NULL "
        f"{foreign}OR NOT regexp_full_match(coalesce({FOUND}._row, ''), '[0-9/]*') "
        f"THEN error('it names no row') ELSE {FOUND}._submission_id END AS _submission_id, "
        # The query may end in a comment.
        f"coalesce({FOUND}._row, '') AS _row FROM ({place(query, {BATCH: _ROWS})}\n) AS {FOUND}"
    )


def for_sqlalchemy(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments for Great Expectations: in its SQL SQLAlchemy takes `:name`, even in a text, for a parameter."""
    return {
        key: _PARAMETER.sub(r"\\:\1", value) if key == "unexpected_rows_query" else value
        for key, value in arguments.items()
    }


def refusal(db: duckdb.DuckDBPyConnection, query: str) -> str:
    """Why a query with placeholders is not one that a rule may run; empty when it is.

    It must be one SELECT that reads nothing but what its placeholders stand for. DuckDB's own parser tells
    (`json_serialize_sql`); nothing is run.
    """
    names = {name: f"placeholder_{number}" for number, name in enumerate(placeholders(query))}
    plain = place(query, {**names, TODAY: "DATE '2000-01-01'"}).format()
    (text,) = db.execute("SELECT json_serialize_sql(?::VARCHAR)", [plain]).fetchone() or ("{}",)
    try:
        read = json.loads(text)
    except RecursionError:
        return "it has too many expressions within each other"
    if read.get("error"):
        said = str(read.get("error_message", ""))
        return f"DuckDB cannot read it: {said}" if read.get("error_type") == "parser" else "it is not a SELECT"
    if len(read["statements"]) != 1:
        return "it is more than one statement"
    nodes = _nodes(read, frozenset(names.values()))
    return next((told for node, known in nodes if (told := _told(node, known))), "")


def _nodes(tree: object, known: frozenset[str]) -> Iterator[tuple[Mapping[str, Any], frozenset[str]]]:
    """Every object of the parsed statement, with the names that it may read there.

    A name of WITH means a part of the statement only where DuckDB knows it: behind its own definition, and inside the
    statement that it stands in. Everywhere else the same name would be a table.
    """
    waiting = [(tree, known)]
    while waiting:
        node, here = waiting.pop()
        if isinstance(node, list):
            waiting.extend((part, here) for part in node)
        if not isinstance(node, dict):
            continue
        parts = dict(node)
        for entry in (parts.pop("cte_map", None) or {}).get("map", ()):
            waiting.append((entry["value"], here))
            here |= _named(entry["key"])
        if node.get("type") == "RECURSIVE_CTE_NODE":
            waiting.append((parts.pop("right"), here | _named(node["cte_name"])))
        yield node, here
        waiting.extend((part, here) for part in parts.values())


def _named(name: str) -> frozenset[str]:
    """What a part of the statement is known by; one that could be a file is no such name."""
    return frozenset({name.lower()} if _PLAIN.fullmatch(name) else ())


def _told(node: Mapping[str, Any], known: frozenset[str]) -> str:
    kind = node.get("type")
    if node.get("sample"):
        return "a sample takes other rows each time"
    if kind == "BASE_TABLE":
        name = node["table_name"]
        plain = name.lower() in known and not node.get("schema_name") and not node.get("catalog_name")
        return "" if plain else f"it reads {name}, which is no placeholder"
    if kind == "TABLE_FUNCTION":
        name = node["function"]["function_name"]
        return "" if name in _TABLE_FUNCTIONS else f"it reads {name}(…), which is no placeholder"
    if kind == "SHOW_REF":
        return "it asks for the shape of a table"
    return _told_of_expression(node)


def _told_of_expression(node: Mapping[str, Any]) -> str:
    name = str(node.get("function_name", "")).lower()
    if name in UNSTEADY or (name == "age" and len(node.get("arguments") or node.get("children") or ()) == 1):
        return f"{name}() gives something else each time"
    names = node.get("column_names") if node.get("type") == "COLUMN_REF" else None
    if names and len(names) == 1 and str(names[0]).lower() in _BARE:
        return f"{names[0]} gives something else each time"
    return ""
