"""Keeps every version of a form that was ever served or landed, so that old answers can always be read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, unquote

from dialogkit.errors import FormError
from dialogkit.files import write_whole
from dialogkit.forms.constants import TEAM_CONSTANTS
from dialogkit.model.form import BuiltForm, Form

_LONGEST: Final = 120
#: Media that expressions and choice lists read; pictures and sounds are not kept.
_READ_BY_LOGIC: Final = frozenset({".csv", ".xml", ".geojson"})


def keep_version(folder: Path, built: BuiltForm) -> None:
    """Write `<folder>/<form_id>/<version>.json` and `.xml`; a version that is there already keeps its place.

    Raises:
        FormError: FORM-050, people saw another form under this version already.
    """
    form = built.form
    place = folder / file_name(form.form_id)
    stem = file_name(form.version)
    held = refuse_changed(folder, form)
    ordinal = held[0] if held else 1 + max((ordinal for ordinal, _ in _all(place)), default=0)
    text = json.dumps({"ordinal": ordinal, "form": form.to_json()}, ensure_ascii=False, indent=1)
    # The JSON comes last: it says that the version is whole.
    write_whole(place / f"{stem}.xml", built.xml)
    for name, path in built.media.items():
        if path.suffix.lower() in _READ_BY_LOGIC:
            write_whole(place / f"{stem}.media" / file_name(name), path.read_bytes())
    write_whole(place / f"{stem}.json", text.encode())


def refuse_changed(folder: Path, form: Form) -> tuple[int, Form] | None:
    """What is kept under the version of `form`, with its ordinal; nothing is written.

    Raises:
        FormError: FORM-050, people saw another form under this version already.
    """
    path = folder / file_name(form.form_id) / f"{file_name(form.version)}.json"
    held = _read(path) if path.exists() else None
    if held is not None and _on_phones(held[1]) != _on_phones(_as_kept(form, held[1])):
        raise FormError(
            "FORM-050",
            f"{form.form_id}, version {form.version or '(none)'}",
            "The form was changed, but its version is that of a form that is in use.",
            "Raise version in the settings sheet: answers to two wordings must be told apart.",
        )
    return held


def find_version(folder: Path, form_id: str, version: str) -> Form | None:
    """The form of this id and version, if it was ever kept.

    Raises:
        FormError: FORM-051, the file is damaged.
    """
    path = folder / file_name(form_id) / f"{file_name(version)}.json"
    return _read(path)[1] if path.exists() else None


def media_of(folder: Path, form: Form) -> dict[str, Path]:
    """The lists and tables that were kept with a version: file name → file. They are those of its last deployment."""
    place = folder / file_name(form.form_id) / f"{file_name(form.version)}.media"
    return {unquote(path.name): path for path in sorted(place.glob("*")) if not path.name.startswith(".")}


def known_versions(folder: Path, form_id: str) -> dict[str, Form]:
    """Every version of a form by its version text, in the order in which they were first kept.

    Raises:
        FormError: FORM-051, a file is damaged.
    """
    kept = sorted(_all(folder / file_name(form_id)), key=lambda item: (item[0], item[1].version))
    return {form.version: form for _, form in kept}


def file_name(text: str) -> str:
    """A safe name for a file from text of outside; different texts give different names."""
    safe = quote(text, safe="").replace("~", "%7E") or "%"
    if safe.startswith("."):
        safe = "%2E" + safe[1:]
    if len(safe) > _LONGEST:
        safe = f"{safe[:40]}~{hashlib.sha256(text.encode()).hexdigest()}"
    return safe


def _all(place: Path) -> Iterator[tuple[int, Form]]:
    for path in place.glob("*.json"):
        if not path.name.startswith("."):
            yield _read(path)


def _read(path: Path) -> tuple[int, Form]:
    try:
        data: dict[str, Any] = json.loads(path.read_bytes())
        return int(data["ordinal"]), Form.from_json(data["form"])
    except (OSError, ValueError, KeyError, TypeError):
        fix = "Bring it back from a copy; every version that was served is needed to read its answers."
        raise FormError("FORM-051", path.name, "The stored form version cannot be read.", fix) from None


def _as_kept(form: Form, held: Form) -> Form:
    """The form without what versions kept before November 2026 do not tell: triggers and parameters."""
    if any(question.trigger or question.parameters for question in held.questions):
        return form
    return replace(form, questions=tuple(replace(one, trigger="", parameters="") for one in form.questions))


def _on_phones(form: Form) -> Form:
    """The form without what a person at the phone never meets, and without the two texts of the team."""
    questions = tuple(
        replace(
            question,
            calculation="" if question.name in TEAM_CONSTANTS else question.calculation,
            concept="",
            disclosure="",
            hxl="",
            was="",
            row=0,
        )
        for question in form.questions
    )
    return replace(form, questions=questions, sections=tuple(replace(section, row=0) for section in form.sections))
