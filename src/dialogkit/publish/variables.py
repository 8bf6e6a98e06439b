"""The variables of a release: every column of every table, published or left out, and why."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import duckdb

from dialogkit import sql
from dialogkit.files import safe_name
from dialogkit.model.disclosure import DIRECT, FREE_TEXT, INDIRECT
from dialogkit.model.table import COMPANIONS

#: Concept → why it stays out of a release although its class is `none`.
LEFT_OUT_CONCEPTS: Final[Mapping[str, str]] = {
    "meta.start": "the exact time can tell who filled in the form",
    "meta.end": "the exact time can tell who filled in the form",
    "meta.team_contact": "about the team, the same in every record",
    "meta.team_server": "about the team, the same in every record",
    "consent.quote_cap": "calculated from the stated risk, which is sensitive",
    "consent.map_cap": "calculated from the stated risk, which is sensitive",
}
#: Concepts of R6 whose answers can harm: they stay out whatever class a form gives them.
SENSITIVE_CONCEPTS: Final = frozenset(
    {
        "org.legal_status",
        "org.bank_access",
        "org.constituency",
        "event.participant_groups",
        "alt.includes",
        "consent.risk",
        "adversity.type",
    }
)
SENSITIVE: Final = "sensitive: what it says of people can harm them, whatever its class"
#: Class → why its columns stay out of this first kind of release.
LEFT_OUT_CLASSES: Final[Mapping[str, str]] = {
    DIRECT: "identifier: never published",
    INDIRECT: "key variable: can identify in combination; not published before it is generalised",
    FREE_TEXT: "free text: not published before a person has cleared it",
}
#: Kind → why its columns stay out.
LEFT_OUT_KINDS: Final[Mapping[str, str]] = {
    "file": "the file itself is not part of the release",
    **dict.fromkeys(("geopoint", "geotrace", "geoshape"), "points are not published before a person has cleared them"),
}
_ALIAS_LENGTH: Final = 32


@dataclass(frozen=True)
class Variable:
    """One column of a table.

    Args:
        name: of the column in the warehouse and in the extract.
        alias: for statistics packages: letters, digits and `_`, at most 32, no leading `_`, unlike any other.
        kind: as in `model.table`.
        labels: by language.
        choices: code → labels by language, for selects.
        left_out: why it is not published; empty when it is.
    """

    name: str
    alias: str
    kind: str
    concept: str
    disclosure: str
    hxl: str
    labels: Mapping[str, str]
    choices: Mapping[str, Mapping[str, str]]
    left_out: str


@dataclass(frozen=True)
class Extract:
    """One table of the release: the main table of a form (`repeat` is empty) or one of its repeats."""

    form_id: str
    table: str
    repeat: str
    parent: str
    stem: str
    variables: tuple[Variable, ...]

    @property
    def published(self) -> tuple[Variable, ...]:
        """The variables that stand in the files."""
        return tuple(variable for variable in self.variables if not variable.left_out)

    @property
    def key(self) -> tuple[str, ...]:
        """The columns of ours that name a row."""
        return ("record", "row") if self.repeat else ("record",)

    @property
    def own(self) -> tuple[str, ...]:
        """All columns of ours: the key, and the row of the parent for a repeat in a repeat."""
        return (*self.key, "parent_row") if self.nested else self.key

    @property
    def nested(self) -> bool:
        """Whether its rows belong to the rows of another repeat."""
        return bool(self.repeat) and self.parent != self.form_id


def read_extracts(db: duckdb.DuckDBPyConnection, forms: Sequence[str]) -> tuple[Extract, ...]:
    """The tables of these forms with their variables, parents before children.

    Args:
        db: a snapshot.
        forms: the forms that have something to publish.
    """
    rows = db.execute(
        f"""
        SELECT form_id, table_name, repeat, column_name, kind, concept, disclosure, hxl, list_name, labels, alias,
            -- A question that changed its type measures what it measures in each of its columns.
            list(concept) OVER (PARTITION BY table_name, path)
        -- What stands beside a column says what that says, in another type: its text alone may be published.
        FROM ops.columns WHERE kind NOT IN ({sql.texts(sorted(COMPANIONS))})
        ORDER BY form_id, len(string_split(repeat, '/')), table_name, position
        """
    ).fetchall()
    choices = _choices(db)
    tables: dict[tuple[str, str, str], list[Sequence[str]]] = {}
    for form_id, table, repeat, *column in rows:
        if form_id in forms:
            tables.setdefault((form_id, table, repeat), []).append(column)
    stems: set[str] = set()
    return tuple(
        Extract(
            form_id,
            table,
            repeat,
            _parent(form_id, repeat, list(tables)),
            _stem(table, stems),
            _all(columns, choices, form_id),
        )
        for (form_id, table, repeat), columns in tables.items()
    )


def _choices(db: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], dict[str, Mapping[str, str]]]:
    found: dict[tuple[str, str], dict[str, Mapping[str, str]]] = {}
    for form_id, list_name, choice, labels in db.execute(
        "SELECT form_id, list_name, choice, labels FROM ops.choices ORDER BY form_id, list_name, position"
    ).fetchall():
        found.setdefault((form_id, list_name), {})[choice] = json.loads(labels)
    return found


def _parent(form_id: str, repeat: str, tables: Sequence[tuple[str, str, str]]) -> str:
    """The table of the innermost repeat above, otherwise the main table."""
    if not repeat:
        return ""
    above = [
        (len(path), table)
        for form, table, path in tables
        if form == form_id and (not path or repeat.startswith(path + "/"))
    ]
    return max(above)[1] if above else form_id


def _stem(table: str, taken: set[str]) -> str:
    """A file name without its ending that no other table has."""
    base = re.sub(r"[^\w.-]+", "_", safe_name(table)) or "table"
    number, stem = 1, base
    while stem.lower() in taken:
        number += 1
        stem = f"{base}_{number}"
    taken.add(stem.lower())
    return stem


def _all(
    columns: Sequence[Sequence[str]], choices: Mapping[tuple[str, str], Mapping[str, Mapping[str, str]]], form_id: str
) -> tuple[Variable, ...]:
    taken = {"record", "row", "parent_row"}
    found = []
    for name, kind, concept, disclosure, hxl, list_name, labels, short, concepts in columns:
        found.append(
            Variable(
                name=name,
                alias=alias(short or name, taken),
                kind=kind,
                concept=concept,
                disclosure=disclosure,
                hxl=hxl,
                labels=json.loads(labels),
                choices=choices.get((form_id, list_name), {}) if list_name else {},
                left_out=_why_left_out(kind, concepts, disclosure, name),
            )
        )
    return tuple(found)


def alias(name: str, taken: set[str]) -> str:
    """A name for statistics packages; notes it in `taken`, which it must not meet (compared without case)."""
    base = re.sub(r"[^A-Za-z0-9_]+", "_", name).strip("_")
    if not base or not base[0].isalpha():
        base = f"v_{base}".rstrip("_")
    number, short = 1, base[:_ALIAS_LENGTH]
    while short.lower() in taken:
        number += 1
        short = f"{base[: _ALIAS_LENGTH - len(str(number)) - 1]}_{number}"
    taken.add(short.lower())
    return short


def _why_left_out(kind: str, concepts: Iterable[str], disclosure: str, name: str) -> str:
    if name.lower() in ("record", "row", "parent_row"):
        return "its name is that of a column of the release"
    if not SENSITIVE_CONCEPTS.isdisjoint(concepts):
        return SENSITIVE
    by_concept = next((LEFT_OUT_CONCEPTS[concept] for concept in concepts if concept in LEFT_OUT_CONCEPTS), "")
    return LEFT_OUT_CLASSES.get(disclosure) or by_concept or LEFT_OUT_KINDS.get(kind, "")
