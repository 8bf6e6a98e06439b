"""What a client of KoboToolbox recorded: forms from the content of assets, submissions from pages of data."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import openpyxl

from dialogkit.forms.build import build_form
from dialogkit.model.form import BuiltForm
from dialogkit.model.server import Received
from dialogkit.servers.kobo.rows import submission_of, version_of
from tests.corpus.material import CORPUS, Set

#: The server's own keys of a row of the survey.
_OWN: Final = ("$", "select_from_list_name")


def recordings() -> list[Path]:
    """Every recorded file."""
    return sorted((CORPUS / "robotoolbox").glob("*.json"))


def replies(file: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Address and body of each answer of the server that is an object."""
    for reply in json.loads(file.read_text(encoding="utf-8")):
        if isinstance(reply["body"], dict):
            yield reply["uri"].partition("?")[0], reply["body"]


def pages(file: Path) -> list[list[dict[str, Any]]]:
    """The pages of data in a file."""
    return [body["results"] for uri, body in replies(file) if uri.rpartition("/")[2] in ("data.json", "data")]


@cache
def contents() -> Mapping[str, Mapping[str, Any]]:
    """Asset → version → content, over all files, in the order in which the server made them."""
    found: dict[str, dict[str, tuple[str, Any]]] = {}
    for file in recordings():
        for uri, body in replies(file):
            content = body.get("content") or {}
            if content.get("survey"):
                asset = uri.partition("/assets/")[2].partition("/")[0]
                version, made = body.get("version_id") or body["uid"], str(body["date_modified"])
                found.setdefault(asset, {}).setdefault(version, (made, content))
    return {asset: {key: one[1] for key, one in sorted(some.items(), key=_made)} for asset, some in found.items()}


def _made(item: tuple[str, tuple[str, Any]]) -> str:
    return item[1][0]


def set_name(file: Path, rows: Sequence[Mapping[str, Any]]) -> str:
    """The set that a page of data lands in; pages that say the same land once."""
    said = hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()
    return f"kobo_{_asset_of(file)}_{said[:6]}"


def recorded_sets(folder: Path) -> Iterator[Set]:
    """A set a page of data, so that every recorded row lands; forms are built in `folder`."""
    seen: set[str] = set()
    for file in recordings():
        for rows in pages(file):
            name = set_name(file, rows)
            if rows and name not in seen:
                seen.add(name)
                asset = _asset_of(file)
                forms = tuple(built(folder, asset, version) for version in contents()[asset])
                yield Set(name, forms, tuple(_received(row, forms) for row in rows))


def _asset_of(file: Path) -> str:
    return next(uri for uri, _ in replies(file)).partition("/assets/")[2].partition("/")[0]


def _received(row: Mapping[str, Any], forms: Sequence[BuiltForm]) -> Received:
    known = {one.form.version: one.form for one in forms}
    version = version_of(row, {key: key for key in known}) or str(row.get("__version__", ""))
    row = {"_submission_time": "2022-01-01T00:00:00", "_uuid": "none", **row}
    return Received(submission_of(row, "any", known.get(version), version), json.dumps(row).encode())


@cache
def built(folder: Path, asset: str, version: str) -> BuiltForm:
    """The form of a recorded content; the workbook is made in `folder`."""
    content = contents()[asset][version]
    book = openpyxl.Workbook()
    survey = book.worksheets[0]
    survey.title = "survey"
    languages = content.get("translations") or [None]
    _fill(survey, [_row(row, languages) for row in content["survey"]])
    if content.get("choices"):
        _fill(book.create_sheet("choices"), [_row(row, languages) for row in content["choices"]])
    settings = {"form_title": asset, "form_id": asset, "version": version}
    _fill(book.create_sheet("settings"), [settings])
    path = folder / f"{asset}_{version}.xlsx"
    book.save(path)
    return build_form(path)


def _row(row: Mapping[str, Any], languages: Sequence[str | None]) -> dict[str, str]:
    """A row of the content as a row of the sheet: translated columns apart, the list behind the type."""
    cells: dict[str, str] = {}
    for key, value in row.items():
        if key.startswith(_OWN) or value in (None, False):
            continue
        if isinstance(value, list):
            headings = [f"{key}::{one}" if one else key for one in languages]
            cells |= {heading: text for heading, text in zip(headings, value, strict=False) if text}
        else:
            cells[key] = "yes" if value is True else str(value)
    if row.get("select_from_list_name"):
        cells["type"] += f" {row['select_from_list_name']}"
    if "name" not in cells and row.get("$autoname"):
        cells["name"] = row["$autoname"]
    return cells


def _fill(sheet: Any, rows: Sequence[Mapping[str, str]]) -> None:
    headings = list(dict.fromkeys(key for row in rows for key in row))
    sheet.append(headings)
    for row in rows:
        sheet.append([row.get(heading) for heading in headings])
