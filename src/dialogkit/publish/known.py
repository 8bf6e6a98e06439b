"""Texts that a release holds whatever was answered: those of the forms, of the findings and of dialogkit itself."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Final

import duckdb

from dialogkit.publish import codebook, readme
from dialogkit.publish.datapackage import resource_names
from dialogkit.publish.deidentify import BLANKED, NOT_AGREED, REDUCED, REPLACED
from dialogkit.publish.gate import parts, phrases
from dialogkit.publish.variables import LEFT_OUT_CLASSES, LEFT_OUT_CONCEPTS, LEFT_OUT_KINDS, SENSITIVE, Extract

_REASONS: Final = (SENSITIVE, *LEFT_OUT_CONCEPTS.values(), *LEFT_OUT_CLASSES.values(), *LEFT_OUT_KINDS.values())
_LITERAL: Final = re.compile(r"'([^']*)'")
_NAMES: Final = (
    "SELECT form_id, table_name, repeat, column_name, kind, concept, disclosure, hxl, list_name FROM ops.columns",
    "SELECT form_id, version, title FROM ops.forms",
    "SELECT choice FROM ops.choices",
    "SELECT barrier, family FROM concepts.barriers",
    "SELECT country, name FROM concepts.countries",
    "SELECT id, title, base, measure, small_cells FROM findings.about",
    "SELECT column_name FROM duckdb_columns() WHERE schema_name = 'findings'",
)


def known_texts(db: duckdb.DuckDBPyConnection, extracts: Sequence[Extract]) -> frozenset[str]:
    """Labels, codes, names, titles, reference data, the words of findings and the fixed lines of our pages."""
    ours = (*readme.static_lines(), *codebook.static_lines(), *_REASONS, NOT_AGREED, REPLACED, REDUCED, BLANKED)
    found = {part for line in ours for part in (line, *parts(line))}
    found.update(*(row for query in _NAMES for row in db.execute(query).fetchall()))
    found.update(_labels(db))
    for extract in extracts:
        found |= {
            extract.stem,
            *extract.own,
            *resource_names(extract),
            *(variable.alias for variable in extract.variables),
        }
    for (query,) in db.execute("SELECT sql FROM findings.about").fetchall():
        found.update(phrase for literal in _LITERAL.findall(query) for phrase in phrases(literal))
    return frozenset(found)


def known_codes(db: duckdb.DuckDBPyConnection) -> frozenset[str]:
    """The codes of all choices."""
    return frozenset(code for (code,) in db.execute("SELECT DISTINCT choice FROM ops.choices").fetchall())


def _labels(db: duckdb.DuckDBPyConnection) -> Iterator[str]:
    for book in ("columns", "choices"):
        for (labels,) in db.execute(f"SELECT DISTINCT labels::VARCHAR FROM ops.{book}").fetchall():
            for language, text in json.loads(labels).items():
                yield from (text, f"label::{language}", "label")
