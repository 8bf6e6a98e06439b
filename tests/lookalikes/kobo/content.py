"""What KoboToolbox makes of an XLSForm when it is imported: `content`, its summary, its hash; and what it refuses."""

from __future__ import annotations

import hashlib
import json
import re
from io import BytesIO
from typing import Any
from zipfile import BadZipFile

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from tests.lookalikes.kobo.marks import kuid

# fmt: off
_TYPES = frozenset({
    "start", "end", "today", "deviceid", "username", "phonenumber", "email", "simserial", "subscriberid", "audit",
    "note", "text", "integer", "decimal", "select_one", "select_multiple", "select_one_from_file",
    "select_multiple_from_file", "rank", "begin_group", "end_group", "begin_repeat", "end_repeat", "geopoint",
    "geotrace", "geoshape", "date", "time", "datetime", "dateTime", "image", "audio", "video", "file", "calculate",
    "hidden", "range", "barcode", "acknowledge", "trigger", "background-audio", "start-geopoint", "xml-external",
    "csv-external", "entity",
})
# fmt: on
_NOT_COUNTED = frozenset(
    [
        "start",
        "end",
        "today",
        "deviceid",
        "username",
        "phonenumber",
        "email",
        "simserial",
        "subscriberid",
        "audit",
        "background-audio",
        "note",
        "begin_group",
    ]
)
_SELECTS = ("select_one", "select_multiple", "rank")
_TRUTH = {"true": True, "yes": True, "false": False, "no": False}


class ImportRefused(Exception):  # noqa: N818 - named by what it is
    """The import ends in `error`; `kind` is the server's name for it."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind
        self.text = text


def content_of(workbook: bytes) -> tuple[str, dict[str, Any]]:
    """The title and the content of an XLSForm.

    Raises:
        ImportRefused: no workbook, a type or name that is not known or allowed, a name that stands twice.
    """
    try:
        book = load_workbook(BytesIO(workbook), data_only=True)
    except (BadZipFile, InvalidFileException, KeyError, OSError, ValueError):
        raise ImportRefused("XlsFormatException", "Unsupported format, or corrupt file") from None
    sheets = {sheet.title: _rows(sheet) for sheet in book}
    settings = next(iter(sheets.get("settings", [])), {})
    title = settings.pop("form_title", None) or settings.pop("title", None) or ""
    if "survey" not in sheets:
        return title, {}
    if "form_id" in settings:
        settings["id_string"] = settings.pop("form_id")
    return title, _content(sheets, settings)


def _rows(sheet: Any) -> list[dict[str, Any]]:
    lines = list(sheet.iter_rows(values_only=True))
    if not lines:
        return []
    heads = [str(head).strip() if head is not None else "" for head in lines[0]]
    rows = []
    for line in lines[1:]:
        row = {h: str(v).strip() for h, v in zip(heads, line, strict=False) if h and v is not None and str(v).strip()}
        if row:
            rows.append(row)
    return rows


def _content(sheets: dict[str, list[dict[str, Any]]], settings: dict[str, Any]) -> dict[str, Any]:
    languages, translated = _languages(sheets["survey"] + sheets.get("choices", []))
    survey = [_question(_joined(row, languages, translated)) for row in sheets["survey"]]
    _check(survey)
    _place(survey)
    content: dict[str, Any] = {"schema": "1", "survey": survey}
    choices = [_joined(row, languages, translated) for row in sheets.get("choices", [])]
    if choices:
        content["choices"] = [{**row, "$kuid": kuid(), "$autovalue": row.get("name", "")} for row in choices]
    return {**content, "settings": settings, "translated": sorted(translated), "translations": languages}


def _languages(rows: list[dict[str, Any]]) -> tuple[list[str | None], set[str]]:
    languages: list[str | None] = []
    translated: set[str] = set()
    for row in rows:
        for head in row:
            column, _, language = head.partition("::")
            if language or column in {"label", "hint", "constraint_message", "required_message", "guidance_hint"}:
                translated.add(column)
                if (language or None) not in languages:
                    languages.append(language or None)
    return languages or [None], translated


def _joined(row: dict[str, Any], languages: list[str | None], translated: set[str]) -> dict[str, Any]:
    joined: dict[str, Any] = {}
    for head, value in row.items():
        column, _, language = head.partition("::")
        if column in translated:
            joined.setdefault(column, [None] * len(languages))[languages.index(language or None)] = value
        else:
            joined[head] = value
    return joined


def _question(row: dict[str, Any]) -> dict[str, Any]:
    words = re.sub(r"^(begin|end) (group|repeat)$", r"\1_\2", row.get("type", "")).split()
    question = {**row, "type": words[0].replace("dateTime", "datetime") if words else ""}
    if words and words[0] in _SELECTS and len(words) > 1:
        question["select_from_list_name"] = words[1]
        if words[-1] == "or_other":
            question["_or_other"] = True
    if words and words[0].endswith("_from_file"):
        question["file"] = words[1]
    if str(question.get("required", "")).lower() in _TRUTH:
        question["required"] = _TRUTH[question["required"].lower()]
    return {**question, "$kuid": kuid()}


def _check(survey: list[dict[str, Any]]) -> None:
    names: set[str] = set()
    for row in survey:
        if row["type"] not in _TYPES:
            raise ImportRefused("ValueError", f"unknown type ['{row['type']}']")
        name = row.get("name")
        if name is None:
            continue
        if not re.fullmatch(r"[A-Za-z_][\w.-]*", name):
            raise ImportRefused("ValueError", f"Invalid node name: {name}")
        if name in names:
            raise ImportRefused("DuplicateNameException", f"Duplicate node name: {name}")
        names.add(name)


def _place(survey: list[dict[str, Any]]) -> None:
    groups: list[str] = []
    for row in survey:
        if row["type"].startswith("end_"):
            groups = groups[:-1]
            continue
        row["$xpath"] = "/".join([*groups, row.get("name", "")])
        row["$autoname"] = row.get("name", "")
        if row["type"].startswith("begin_"):
            groups.append(row.get("name", ""))


def hash_of(content: dict[str, Any]) -> str:
    """The content hash: two imports of one form have the same, whatever uids they were given."""
    bare = json.dumps(content, sort_keys=True)
    return hashlib.sha1(re.sub(r'"\$kuid": "\w+"', "", bare).encode()).hexdigest()


def summary_of(content: dict[str, Any]) -> dict[str, Any]:
    """The summary beside a form in lists."""
    survey = content.get("survey")
    if survey is None:
        return {"languages": []}
    asked = [row for row in survey if row["type"] not in _NOT_COUNTED and not row["type"].startswith("end")]
    languages = content["translations"]
    columns = list(dict.fromkeys(column for row in asked for column in row if not column.startswith("$")))
    return {
        "geo": any(row["type"].startswith("geo") for row in survey),
        "labels": [row["label"][0] for row in asked if row.get("label")][:5],
        "columns": columns,
        "lock_all": False,
        "lock_any": False,
        "languages": [] if languages == [None] else languages,
        "row_count": len(asked),
        "name_quality": {"ok": 0, "bad": 0, "good": len(asked), "total": len(asked), "firsts": {}},
        "default_translation": languages[0],
    }
