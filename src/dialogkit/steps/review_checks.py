"""Whether the new answers of a correction fit the form: the question, its type, its choices. Never quotes an answer."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import date, time
from difflib import get_close_matches
from typing import Final

from dialogkit import xml
from dialogkit.model.form import Form, Question
from dialogkit.problem import Problem

#: Types whose answers a person types or chooses. All others are made by the phone, or name a file.
_TYPED: Final = frozenset(
    {"text", "integer", "decimal", "date", "time", "datetime", "select_one", "select_multiple", "rank"}
    | {"geopoint", "geotrace", "geoshape", "barcode", "acknowledge"}
)
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,18}")
_DECIMAL: Final = re.compile(r"[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]{1,2})?")
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_CLOCK: Final = re.compile(r"[0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,6})?)?(Z|[+-][0-9]{2}:?[0-9]{2})?")
_OFFSET: Final = re.compile(r".+(Z|[+-][0-9]{2}:?[0-9]{2})")


def misfits(form: Form, changes: Mapping[str, str]) -> list[Problem]:
    """What in `changes` (full path → new text; empty takes the answer away) does not fit the form."""
    return [problem for path, text in changes.items() if (problem := _misfit(form, path, text))]


def not_recalculated(form: Form, changes: Mapping[str, str]) -> list[str]:
    """Paths of calculated questions that use a corrected one: their stored values stay as they are."""
    used = {f"${{{form.by_path[path].name}}}" for path in changes if path in form.by_path}
    return [
        question.path
        for question in form.questions
        if any(reference in question.calculation.replace(" ", "") for reference in used)
    ]


def _misfit(form: Form, path: str, text: str) -> Problem | None:
    where = f"{form.form_id}, {path}"
    question = form.by_path.get(path)
    if question is None or not question.has_answer:
        return Problem("SERVER-113", "error", where, f"{path} is not a question of this form.", _suggestion(form, path))
    if reason := _untouchable(form, question):
        fix = "Correct it where the form is filled, or leave it: what the participant agreed to is never corrected."
        return Problem("SERVER-114", "error", where, f"It cannot be corrected from here: {reason}.", fix)
    if wanted := expected(form, question, text):
        return Problem("SERVER-118", "error", where, "The new answer does not fit the question.", wanted)
    return None


def _suggestion(form: Form, path: str) -> str:
    asked = [question.path for question in form.questions if question.has_answer]
    leaf = path.rpartition("/")[2]
    near = [one for one in asked if one.rpartition("/")[2] == leaf] or get_close_matches(path, asked, 1, 0.6)
    return f"Did you mean {near[0]}?" if near else "Give the full path with its groups: g_main/g_event/country."


def _untouchable(form: Form, question: Question) -> str:
    """Why nobody may correct this question from here, or `""`."""
    if form.repeat_of(question.path):
        return "it stands in a repeat"
    if question.concept.startswith("consent."):
        return "it is the participant's word on consent"
    if question.concept == "meta.source_ref":
        return "it tells where the record comes from"
    if question.calculation or question.type not in _TYPED:
        return "it is not typed by a person"
    return ""


def expected(form: Form, question: Question, text: str) -> str:
    """What the form expects of an answer that does not fit, or `""`."""
    if not text.strip():
        must = question.required.strip().lower() in ("yes", "true", "true()", "1")
        return "The question is required: give a new answer." if must else ""
    if not xml.writable(text):
        return "Take out the control characters."
    if choices := form.choice_lists.get(question.list_name):
        return _choices(question, {choice.name for choice in choices}, text)
    fits, expected = _KINDS.get(question.type, (lambda _: True, ""))
    return "" if fits(text) else expected


def _choices(question: Question, known: set[str], text: str) -> str:
    codes = [text] if question.type == "select_one" else text.split(" ")
    if all(code in known for code in codes) and len(set(codes)) == len(codes):
        return ""
    shown = ", ".join(sorted(known)[:12]) + (", …" if len(known) > 12 else "")
    many = "" if question.type == "select_one" else ", with one space between two"
    return f"Use codes of the list {question.list_name}{many}: {shown}."


def _is_date(text: str) -> bool:
    return bool(_DAY.fullmatch(text)) and _parses(date.fromisoformat, text)


def _is_time(text: str) -> bool:
    return bool(_CLOCK.fullmatch(text)) and _parses(time.fromisoformat, text)


def _is_datetime(text: str) -> bool:
    day, between, clock = text.partition("T")
    return bool(between and _OFFSET.fullmatch(clock)) and _is_date(day) and _is_time(clock)


def _is_decimal(text: str) -> bool:
    return bool(_DECIMAL.fullmatch(text)) and math.isfinite(float(text))


def _is_point(text: str) -> bool:
    parts = text.split(" ")
    if not 2 <= len(parts) <= 4 or not all(_is_decimal(part) for part in parts):
        return False
    return abs(float(parts[0])) <= 90 and abs(float(parts[1])) <= 180


def _is_line(text: str) -> bool:
    return all(_is_point(part.strip()) for part in text.removesuffix(";").split(";"))


def _parses(read: Callable[[str], object], text: str) -> bool:
    try:
        read(text)
    except ValueError:
        return False
    return True


_KINDS: Final[Mapping[str, tuple[Callable[[str], bool], str]]] = {
    "integer": (lambda text: bool(_INTEGER.fullmatch(text)), "Write a whole number: 12."),
    "decimal": (_is_decimal, "Write a number with a point: 12.5."),
    "date": (_is_date, "Write a date: 2026-10-01."),
    "time": (_is_time, "Write a time: 14:30."),
    "datetime": (_is_datetime, "Write a time with its offset: 2026-10-01T14:30:00+02:00."),
    "geopoint": (_is_point, "Write latitude, longitude and, if known, altitude and accuracy: 51.5 -0.12 0 0."),
    "geotrace": (_is_line, "Write points with a semicolon between two."),
    "geoshape": (_is_line, "Write points with a semicolon between two."),
}
