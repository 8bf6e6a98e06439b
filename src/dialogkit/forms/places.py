"""Finds every place of a mistake of which pyxform names only the first."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from pyxform import aliases
from pyxform.question_type_dictionary import QUESTION_TYPE_DICT
from pyxform.xls2json import RE_BEGIN_CONTROL, RE_END_CONTROL, RE_OSM, RE_SELECT

from dialogkit.forms.columns import Row, rows_of
from dialogkit.forms.types import known_types
from dialogkit.forms.workbook import Workbook, numbered
from dialogkit.problem import Problem

_REFERENCE: Final = re.compile(r"\$\{\s*(?:last-saved#)?(?P<name>[^}]*?)\s*\}")
#: Other columns of the choices are data: a reference in them is none.
_SHOWN_OF_CHOICES: Final = ("label", "media", "image", "audio", "video")
_SHEETS: Final = ("survey", "choices", "settings", "entities")


def unknown_types(workbook: Workbook) -> Iterator[Problem]:
    """Each row whose type no form can have."""
    for row in _asking(workbook):
        kind = row.logic("type")
        if _is_known(kind):
            continue
        where = f"{workbook.path.as_posix()}, survey, row {row.number}, type"
        yield Problem("FORM-011", "error", where, f"“{kind}” is not a type of question.", _nearest_type(kind))


def bad_references(workbook: Workbook) -> Iterator[Problem]:
    """Each `${name}` that is no question, or that several questions could be."""
    names = Counter(name for row in _asking(workbook) if (name := row.logic("name")))
    names["instanceID"] += 1
    for sheet in _SHEETS:
        for number, cells in numbered(workbook.sheet(sheet)):
            for header, text in cells.items():
                if sheet == "choices" and not header.lower().startswith(_SHOWN_OF_CHOICES):
                    continue
                where = f"{workbook.path.as_posix()}, {sheet}, row {number}, {header}"
                for name in dict.fromkeys(match["name"] for match in _REFERENCE.finditer(text)):
                    yield from _bad_reference(where, name, names, number if sheet == "survey" else 0)


def missing_lists(workbook: Workbook) -> Iterator[Problem]:
    """Each select whose choice list is not in the sheet choices."""
    lists = [row.logic("list name") for row in rows_of(workbook, "choices")]
    external = {row.logic("list name") for row in rows_of(workbook, "external_choices")}
    for row in _asking(workbook):
        match = RE_SELECT.search(row.logic("type"))
        if match is None or "${" in match["list_name"] or match["list_name"] in {*lists, *external}:
            continue
        if match["select_command"] in aliases.select_from_file:
            continue
        where = f"{workbook.path.as_posix()}, survey, row {row.number}, type"
        message = f"There is no choice list named {match['list_name']}."
        fix = f"Correct the name{_did_you_mean(match['list_name'], lists)} or add the list to the sheet choices."
        yield Problem("FORM-015", "error", where, message, fix)


def _asking(workbook: Workbook) -> list[Row]:
    rows = rows_of(workbook, "survey")
    return [row for row in rows if row.logic("type") and not aliases.yes_no.get(row.logic("disabled"))]


def _is_known(kind: str) -> bool:
    if kind in QUESTION_TYPE_DICT or kind in aliases._type_alias_map or kind in aliases.settings_header:
        return True
    return any(pattern.search(kind) for pattern in (RE_SELECT, RE_BEGIN_CONTROL, RE_END_CONTROL, RE_OSM))


def _nearest_type(kind: str) -> str:
    known = known_types()
    near = difflib.get_close_matches(kind.lower(), known, n=1) or difflib.get_close_matches(
        kind.lower().split()[0], known, n=1
    )
    if near and near[0] in aliases.select:
        return f"Did you mean {near[0]} with the name of a choice list after it?"
    if near:
        return f"Did you mean {near[0]}?"
    return "Use a type of XLSForm, such as text, integer, date, select_one: https://xlsform.org/en/#question-types"


def _bad_reference(where: str, name: str, names: Counter[str], row: int) -> Iterator[Problem]:
    if names[name] == 1:
        return
    if names[name] > 1:
        message = f"${{{name}}} could be any of {names[name]} questions with this name."
        yield Problem("FORM-012", "error", where, message, "Give each of these questions a name of its own.")
        return
    add = f"add the question above row {row}" if row else "add the question to the survey sheet"
    fix = f"Correct the name{_did_you_mean(name, names, '${%s}')} or {add}."
    yield Problem("FORM-012", "error", where, f"${{{name}}} is not a question of this form.", fix)


def _did_you_mean(name: str, known: Iterable[str], form: str = "%s") -> str:
    near = difflib.get_close_matches(name, set(known), n=1)
    return f" (did you mean {form % near[0]}?)" if near else ""
