"""Choice lists of a form: codes as the XForm has them, labels as the sheet has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from dialogkit.forms.columns import LABEL, Row, rows_of
from dialogkit.forms.workbook import Workbook
from dialogkit.model.form import Choice

_LIST: Final = "list name"
_NOT_EXTRA: Final = frozenset({_LIST, "name", "label", "media"})


def choice_lists(workbook: Workbook, understood: Mapping[str, Any]) -> dict[str, tuple[Choice, ...]]:
    """The lists of the choices sheet, with what pyxform adds to them (`or_other`), and those of external_choices."""
    rows = _by_list(rows_of(workbook, "choices"))
    known = understood.get("choices")
    # A column of the settings sheet that is called choices takes the place of the lists.
    found: Mapping[str, Sequence[Mapping[str, Any]]] = known if isinstance(known, Mapping) else {}
    lists = {
        name: _with_added([_choice(row) for row in rows.get(name, ())], entries) for name, entries in found.items()
    }
    for name, external in _by_list(rows_of(workbook, "external_choices")).items():
        lists.setdefault(name, tuple(_choice(row) for row in external))
    return lists


def _by_list(rows: Sequence[Row]) -> dict[str, list[Row]]:
    lists: dict[str, list[Row]] = {}
    for row in rows:
        if name := row.logic(_LIST):
            lists.setdefault(name, []).append(row)
    return lists


def _choice(row: Row) -> Choice:
    extra = {"::".join(column): text for column, text in row.cells.items() if column[0] not in _NOT_EXTRA and column[0]}
    return Choice(row.logic("name"), row.by_language(LABEL), extra)


def _with_added(written: list[Choice], understood: Sequence[Mapping[str, Any]]) -> tuple[Choice, ...]:
    """The choices of the sheet under the codes that the XForm has, then those that pyxform added."""
    choices = [replace(choice, name=str(entry["name"])) for choice, entry in zip(written, understood, strict=False)]
    for entry in understood[len(written) :]:
        label = entry.get("label", "")
        # pyxform goes through a set of languages here, whose order changes from run to run.
        labels = dict(sorted(label.items())) if isinstance(label, Mapping) else {"": str(label)}
        choices.append(Choice(str(entry["name"]), labels))
    return tuple(choices)
