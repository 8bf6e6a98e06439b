"""Builds a workbook into a form and the XForm that phones load, in one conversion by pyxform."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final
from xml.sax.saxutils import unescape

from pyxform.xls2xform import convert

from dialogkit import xml
from dialogkit.errors import FormError
from dialogkit.forms.constants import fill
from dialogkit.forms.parse import form_of
from dialogkit.forms.refuse import refusal, warning
from dialogkit.forms.workbook import Workbook, read_workbook
from dialogkit.model.form import BuiltForm, Form
from dialogkit.problem import Problem

_MEDIA: Final = re.compile(r"jr://(?:images|audio|video|file|file-csv)/(?P<name>[^\"'<>]+)")
_SEARCHED: Final = re.compile(r"search\(\s*['\"](?P<name>[^'\"]+)['\"]")
#: pyxform says by column what our own check says by question.
_SAID_BY_LINT: Final = ("is missing the", "case-insensitive match")


def build_form(path: Path, *, team_contact: str = "", team_server: str = "") -> BuiltForm:
    """The form of the workbook at `path` with its XForm; the same workbook gives the same bytes.

    Args:
        path: `.xlsx`, `.xlsm`, `.xls`, `.csv` or `.md`.
        team_contact: what the calculation of this name becomes; empty leaves it as it is in the workbook.
        team_server: the same for `team_server`.

    Raises:
        FormError: the file is not a workbook (FORM-001 to FORM-007), or the form cannot be built (FORM-010, with
            `.problems`).
    """
    workbook = fill(read_workbook(path), {"team_contact": team_contact, "team_server": team_server})
    try:
        result: Any = convert(workbook.for_pyxform(), warnings=[])
    except Exception as error:
        # pyxform fails in every way: its own error, and bare TypeError, KeyError, AttributeError.
        raise refusal(workbook, error) from error
    form = form_of(workbook, result._survey, result._pyxform)
    built = str(result.xform).encode()
    _refuse_broken(workbook, built)
    media, missing = _media(workbook, form, result.xform)
    said = dict.fromkeys(map(str, result.warnings))
    warnings = [warning(path.as_posix(), text) for text in said if not any(part in text for part in _SAID_BY_LINT)]
    return BuiltForm(form, built, media, (*warnings, *missing))


def _refuse_broken(workbook: Workbook, built: bytes) -> None:
    try:
        xml.parse(built)
    except xml.UnsafeXml as error:
        fix = "Look for control characters or unusual names in the workbook, and take them out."
        file = workbook.path.as_posix()
        raise FormError("FORM-023", file, f"The XForm that pyxform built {error}.", fix) from None


def _media(workbook: Workbook, form: Form, xform: str) -> tuple[dict[str, Path], list[Problem]]:
    """The files that the form names, found in `media/` or beside the workbook; a Problem for each that is missing."""
    named = {unescape(match["name"]) for match in _MEDIA.finditer(xform)}
    for question in form.questions:
        if match := _SEARCHED.search(question.appearance):
            named.add(match["name"] if match["name"].endswith(".csv") else f"{match['name']}.csv")
    if "itemsets.csv" not in named and workbook.sheet("external_choices").rows:
        named.add("itemsets.csv")
    found: dict[str, Path] = {}
    missing: list[Problem] = []
    for name in sorted(named):
        folder = workbook.path.parent
        # A name with a folder in it would lead outside of what belongs to the form.
        candidates = [folder / "media" / name, folder / name] if Path(name).name == name else []
        place = next((candidate for candidate in candidates if candidate.is_file()), None)
        if place:
            found[name] = place
        else:
            message = f"The form refers to the file {name}, which is not there."
            fix = f"Put {name} into the folder media beside the workbook."
            missing.append(Problem("FORM-025", "warning", workbook.path.as_posix(), message, fix))
    return found, missing
