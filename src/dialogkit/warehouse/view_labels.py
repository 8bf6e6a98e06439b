"""Tables with the labels of choices in place of their codes, one schema a language.

A label is looked up without a join, which DuckDB would make for every column of a view, asked for or not: by CASE in a
short list, by the place of the code in an ENUM in a long one. Measured on 100,000 rows with 20 questions of 1,454
choices: six times the scan in memory, where a MAP takes 40 times and a CASE of all choices more.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

import duckdb

from dialogkit import sql
from dialogkit.warehouse.codebook import Asked, Labels, Shown

#: Up to so many choices stand in one CASE.
_SHORT: Final = 32
#: Accents of Latin, Greek and Cyrillic letters; marks of other scripts are letters of theirs.
_ACCENTS: Final = range(0x300, 0x370)
#: Kind of question → what the name of the function ends in.
_ENDS: Final = {"select_one": "", "select_multiple": "[]"}
_CODE: Final = re.compile(r"\(([^()]+)\)\s*$")


def create_labels(
    db: duckdb.DuckDBPyConnection,
    tables: Sequence[Shown],
    choices: Mapping[tuple[str, str], Mapping[str, Labels]],
    languages: Mapping[str, Sequence[str]],
) -> None:
    """Make `labels_<language>.<table>` for every language of the table's form.

    Each list is a function there: `labels_en."visit/yes_no"(code)`, and `labels_en."visit/yes_no[]"(codes)`.
    """
    taken: dict[str, set[str]] = {}
    for form_id, spoken in languages.items():
        mine = [table for table in tables if table.form_id == form_id]
        for language, schema in schemas_of(spoken).items() if mine else ():
            if schema not in taken:
                db.execute(f"CREATE SCHEMA {sql.name(schema)}")
                taken[schema] = set()
            functions: dict[tuple[str, str], str] = {}
            for list_name, kind in _used(mine):
                listed = choices.get((form_id, list_name), {})
                if labels := _labels(listed, (language, "", *spoken)):
                    name = sql.free_name(f"{form_id}/{list_name}{_ENDS[kind]}", taken[schema])
                    functions[list_name, kind] = sql.name(schema, name)
                    _make(db, functions[list_name, kind], kind, labels)
            for table in mine:
                db.execute(f"CREATE VIEW {sql.name(schema, table.name)} AS {_query(table, functions)}")


def schemas_of(languages: Sequence[str]) -> dict[str, str]:
    """The schema of each language of a form: `English (en)` → `labels_en`, `Français` → `labels_francais`."""
    taken: set[str] = set()
    return {language: sql.free_name(f"labels_{_word(language)}", taken) for language in languages}


def _word(language: str) -> str:
    code = _CODE.search(language)
    apart = unicodedata.normalize("NFKD", code[1] if code else language).lower()
    plain = unicodedata.normalize("NFC", "".join(letter for letter in apart if ord(letter) not in _ACCENTS))
    kept = "".join(letter if letter.isalnum() or unicodedata.category(letter)[0] == "M" else "_" for letter in plain)
    return kept.strip("_") or "default"


def _used(tables: Sequence[Shown]) -> list[tuple[str, str]]:
    """Lists with the kind of question that uses them, once each."""
    asked = [column for table in tables for column in table.of_kind(*_ENDS)]
    return list(dict.fromkeys((column.list_name, column.kind) for column in asked))


def _labels(listed: Mapping[str, Labels], order: Sequence[str]) -> dict[str, str]:
    """Code → its label in the first of these languages that has one; codes without any are left out."""
    found = {code: next((labels[one] for one in order if labels.get(one)), "") for code, labels in listed.items()}
    return {code: label for code, label in found.items() if label and "\0" not in code}


def _make(db: duckdb.DuckDBPyConnection, function: str, kind: str, labels: Mapping[str, str]) -> None:
    if kind == "select_multiple":
        # In a lambda a long constant list is copied for every element, so here even a long list is a CASE.
        db.execute(
            f"CREATE MACRO {function}(codes) AS list_transform(codes, lambda code: {_search(sorted(labels.items()))})"
        )
    elif len(labels) <= _SHORT:
        db.execute(f"CREATE MACRO {function}(code) AS {_search(sorted(labels.items()))}")
    else:
        db.execute(f"CREATE TYPE {function} AS ENUM ({sql.texts(labels)})")
        # One constant, which is read once a query.
        all_labels = sql.text(json.dumps(list(labels.values()), ensure_ascii=False))
        place = f"enum_code(TRY_CAST(code AS {function})) + 1"
        db.execute(
            f"""CREATE MACRO {function}(code) AS coalesce(from_json({all_labels}, '["VARCHAR"]')[{place}], code)"""
        )


def _search(labels: Sequence[tuple[str, str]]) -> str:
    """The label of `code`; a long list, sorted by code, is first cut into parts. A code without a label stays."""
    if len(labels) <= _SHORT:
        cases = " ".join(f"WHEN {sql.text(code)} THEN {sql.text(label)}" for code, label in labels)
        return f"CASE code {cases} ELSE code END"
    size = max(_SHORT, -(-len(labels) // _SHORT))
    parts = [labels[first : first + size] for first in range(0, len(labels), size)]
    cases = " ".join(f"WHEN code < {sql.text(after[0][0])} THEN {_search(part)}" for part, after in pairwise(parts))
    return f"CASE {cases} ELSE {_search(parts[-1])} END"


def _query(table: Shown, functions: Mapping[tuple[str, str], str]) -> str:
    columns = [_column(sql.name(name), table.asked.get(name), functions) for name in table.columns]
    return f"SELECT {', '.join(columns)} FROM {sql.name('accepted', table.name)}"


def _column(name: str, asked: Asked | None, functions: Mapping[tuple[str, str], str]) -> str:
    function = functions.get((asked.list_name, asked.kind)) if asked else None
    return f"{function}({name}) AS {name}" if function else name
