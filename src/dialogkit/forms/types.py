"""One word for each type of question, whichever of pyxform's many names the sheet uses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pyxform import aliases
from pyxform.question_type_dictionary import QUESTION_TYPE_DICT

_SELECTS: Final = {
    "select one": "select_one",
    "select all that apply": "select_multiple",
    "select one external": "select_one",
    "rank": "rank",
}
_BY_CONTROL: Final = {
    "select1": "select_one",
    "select": "select_multiple",
    "odk:rank": "rank",
    "trigger": "acknowledge",
}
_BY_MEDIA: Final = {"image/*": "image", "audio/*": "audio", "video/*": "video", "application/*": "file", "osm/*": "osm"}
_BY_BIND: Final = {"int": "integer", "dateTime": "datetime", "string": "text"}
#: Names that say more than what they store.
_KEPT: Final = frozenset(
    {"calculate", "hidden", "audit", "start-geopoint", "background-geopoint", "background-audio", "note"}
)


def canonical(written: str, bind_type: str = "") -> str:
    """The type of a question in one word.

    Args:
        written: the type as pyxform has it after reading the sheet.
        bind_type: the type in the XForm, which says whether a `range` takes whole numbers.
    """
    if written in _SELECTS:
        return _SELECTS[written]
    if written in _KEPT:
        return written
    if written == "range":
        return "decimal" if bind_type == "decimal" else "integer"
    known = QUESTION_TYPE_DICT.get(written)
    return _from_definition(known) if known else written


def known_types() -> list[str]:
    """Every word that may stand in the column `type`, for suggestions."""
    plain = [name for name in QUESTION_TYPE_DICT if " " not in name and ":" not in name]
    return sorted({*plain, *aliases.select, "begin_group", "end_group", "begin_repeat", "end_repeat"})


def extra_constraint(written: str) -> str:
    """The constraint that comes with a type such as `percentage`."""
    bind: Mapping[str, str] = QUESTION_TYPE_DICT.get(written, {}).get("bind", {})
    return bind.get("constraint", "")


def _from_definition(known: Mapping[str, Any]) -> str:
    bind, control = known.get("bind", {}), known.get("control", {})
    if "jr:preload" in bind:
        return str(bind["jr:preloadParams"]).removeprefix("uri:")
    if control.get("tag") == "upload":
        return _BY_MEDIA[control["mediatype"]]
    if control.get("tag") in _BY_CONTROL:
        return _BY_CONTROL[control["tag"]]
    if "readonly" in bind:
        return "note"
    if not control:
        return "calculate"
    return _BY_BIND.get(bind.get("type", ""), str(bind.get("type", "text")))
