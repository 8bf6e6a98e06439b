"""Finds for every path of a form the row of the survey sheet that it comes from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pyxform import aliases
from pyxform.xls2json import RE_BEGIN_CONTROL, RE_END_CONTROL

from dialogkit.forms.columns import Row

#: pyxform adds questions of its own beside a row: what `or_other` asks, the number of rows of a repeat.
_ADDED: Final = ("_other", "_count")
_WITH_ROW_NUMBER: Final = re.compile(
    r"(?:reserved_name_for_field_list_labels|generated_table_list_label)_(?P<row>[0-9]+)$"
)


@dataclass(frozen=True)
class Outline:
    """The rows of the survey sheet by path, groups and repeats included, loops not yet unrolled."""

    rows: Mapping[str, Row]

    def row(self, path: str) -> Row | None:
        """The row that asks, opens a group or opens a repeat at `path`."""
        return self.rows.get(path)

    def number(self, path: str) -> int:
        """The number of the row that `path` comes from, also where pyxform added the question; 0 when unknown."""
        if found := self.rows.get(path):
            return found.number
        if match := _WITH_ROW_NUMBER.search(path):
            return int(match["row"])
        beside = (self.rows.get(path.removesuffix(ending)) for ending in _ADDED if path.endswith(ending))
        return next((row.number for row in beside if row), 0)


def outline_of(rows: list[Row]) -> Outline:
    """Walk the survey rows as pyxform does."""
    found: dict[str, Row] = {}
    above: list[str] = []
    for row in rows:
        kind = row.logic("type")
        if not kind or aliases.yes_no.get(row.logic("disabled")):
            continue
        if RE_END_CONTROL.search(kind):
            del above[-1:]
            continue
        name = row.logic("name") or (f"generated_note_name_{row.number}" if kind == "note" else "")
        found.setdefault("/".join((*above, name)), row)
        if RE_BEGIN_CONTROL.search(kind):
            above.append(name)
    return Outline(found)
