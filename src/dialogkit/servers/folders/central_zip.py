"""ODK Central's csv.zip, as it was downloaded or unpacked: a file for the form and one for each repeat."""

from __future__ import annotations

import csv
import json
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from io import TextIOWrapper
from pathlib import Path
from typing import IO, Any, Final

from dialogkit.files import safe_name
from dialogkit.instance import plain_version
from dialogkit.model.form import FILE_TYPES, Form
from dialogkit.model.server import FindForm
from dialogkit.model.submission import NO_KEY, Answers, Attachment, Submission
from dialogkit.servers.central.fields import FIRST, LAST, LAST_OF_REPEAT
from dialogkit.servers.central.odata import REVIEW_WORDS
from dialogkit.servers.folders.headings import is_part, paths_of
from dialogkit.servers.folders.raw import MAX_UNPACKED, Media, Place, Raw, in_utc

_PARTS: Final = ("-Latitude", "-Longitude", "-Altitude", "-Accuracy")
_ENVELOPE: Final = frozenset({"meta/instanceID", "meta/deprecatedID", "meta/rootUuid"})
_NUMBER: Final = re.compile(r"\[\d+\]")
_MEMBERS: Final = 200_000


@dataclass
class _Export:
    """The CSV files of one export, and where its media lies."""

    place: Place
    file: Path
    names: list[str]
    archive: zipfile.ZipFile | None = None
    media: Mapping[str, Media] = field(default_factory=dict)

    def open(self, name: str) -> IO[bytes]:
        return self.archive.open(name) if self.archive else (self.file.parent / name).open("rb")


def read_central_zip(place: Place, file: Path) -> Iterator[Raw]:
    """The submissions of the form in an archive; none when it is no archive of Central.

    Raises:
        UnexpectedReply: SERVER-103, SERVER-104.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            names = [one.filename for one in members if one.filename.endswith(".csv") and "/" not in one.filename]
            unpacked = sum(one.file_size for one in members if one.filename in set(names))
            if unpacked > MAX_UNPACKED or len(members) > _MEMBERS:
                raise place.broken(file, "unpacks to more than submissions are")
            yield from _read(_Export(place, file, names, archive, _media(file, archive)))
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, RuntimeError):
        raise place.broken(file, "is not a whole archive, or has a password") from None


def read_central_csv(place: Place, file: Path) -> Iterator[Raw]:
    """As `read_central_zip`, for an archive that was unpacked: `file` is one of its CSV files.

    Raises:
        UnexpectedReply: SERVER-103, SERVER-104.
    """
    if sum(other.stat().st_size for other in file.parent.glob(f"{file.stem}-*.csv")) > MAX_UNPACKED:
        raise place.broken(file, "is larger than submissions are")
    names = [other.name for other in place.folders[file.parent] if other.suffix == ".csv"]
    media = {path.name: Media(path.name, path) for path in place.folders.get(file.parent / "media", ())}
    yield from _read(_Export(place, file, names, None, media), file.name)


def _media(file: Path, archive: zipfile.ZipFile) -> dict[str, Media]:
    """Central writes all files into one folder: a name that stands there twice is nobody's."""
    names = [name for name in archive.namelist() if name.startswith("media/") and not name.endswith("/")]
    return {
        name.removeprefix("media/"): Media(safe_name(name), file, name)
        for name, count in Counter(names).items()
        if count == 1 and safe_name(name)
    }


def _read(export: _Export, only: str = "") -> Iterator[Raw]:
    place, file = export.place, export.file
    try:
        for name in [only] if only else export.names:
            stem = name.removesuffix(".csv")
            with ExitStack() as stack:
                headings, rows = _table(stack, export, name)
                if headings[:1] != [FIRST] or not {"KEY", "FormVersion"} <= set(headings):
                    continue
                if stem != place.form_id and not place.named(file):
                    continue
                below = _repeats(export, stem)
                left = sum(map(len, below.values()))
                for row in rows:
                    cells = _cells(export, headings, row)
                    key = cells.get("KEY", "")
                    tree = {"cells": cells, "below": _below(below, key, 0)}
                    left -= _count(tree)
                    data = json.dumps(tree, ensure_ascii=False).encode()
                    yield Raw("central", key, data, file, _files(export, tree))
                if left:
                    raise place.broken(file, "has rows of a repeat that belong to no submission")
    except (csv.Error, UnicodeDecodeError):
        raise place.broken(file, "is not the CSV that ODK Central writes") from None


def _table(stack: ExitStack, export: _Export, name: str) -> tuple[list[str], Iterator[list[str]]]:
    # Lines end at \n only: an answer may hold another sign that Python takes for an end.
    lines = stack.enter_context(TextIOWrapper(stack.enter_context(export.open(name)), "utf-8-sig", newline="\n"))
    rows = csv.reader(lines, strict=True)
    return next(rows, []), rows


def _cells(export: _Export, headings: list[str], row: list[str]) -> dict[str, str]:
    if len(row) != len(headings) or len(set(headings)) != len(headings):
        raise export.place.broken(export.file, "has a row, or a heading twice, that does not fit its table")
    cells = dict(zip(headings, row, strict=True))
    # Which phone it was is nobody's business here.
    cells.pop("DeviceID", None)
    return {heading: cell for heading, cell in cells.items() if cell.strip()}


def _repeats(export: _Export, stem: str) -> dict[str, list[dict[str, str]]]:
    """Rows of all repeats by the key of the row above."""
    found: dict[str, list[dict[str, str]]] = {}
    for name in export.names:
        if not name.startswith(f"{stem}-"):
            continue
        with ExitStack() as stack:
            headings, rows = _table(stack, export, name)
            if tuple(headings[-2:]) == LAST_OF_REPEAT:
                for row in rows:
                    found.setdefault(row[-2] if len(row) > 1 else "", []).append(_cells(export, headings, row))
    return found


def _below(rows: Mapping[str, list[dict[str, str]]], key: str, depth: int) -> list[dict[str, Any]]:
    if depth > 20:
        return []
    return [{"cells": cells, "below": _below(rows, cells["KEY"], depth + 1)} for cells in rows.get(key, ())]


def _count(node: Mapping[str, Any]) -> int:
    """Rows below a row, at any depth."""
    return sum(1 + _count(row) for row in node["below"])


def _files(export: _Export, tree: Mapping[str, Any]) -> tuple[Media, ...]:
    named = dict.fromkeys(_values(tree)) if export.media else {}
    return tuple(export.media[name] for name in named if name in export.media)


def _values(node: Mapping[str, Any]) -> Iterator[str]:
    yield from node["cells"].values()
    for below in node["below"]:
        yield from _values(below)


def read(raw: Raw, form_id: str, find_form: FindForm) -> Submission:
    """The submission.

    Raises:
        ValueError: it cannot be read.
    """
    tree = json.loads(raw.data)
    cells = tree["cells"]
    version = plain_version(cells.get("FormVersion", ""))
    form = find_form(version) or find_form("")
    submitted_at = in_utc(cells.get(FIRST, ""))
    review = cells.get("ReviewState")
    if form is None or not submitted_at or review not in REVIEW_WORDS:
        raise ValueError("no form to tell the headings by, or no time")
    answers = _answers(tree, form, "", raw.id)
    sealed = NO_KEY if cells.get("Status") else ""
    there = {media.name for media in raw.media}
    named = [safe_name(name) for name in _named(answers, form)]
    return Submission(
        id=raw.id,
        instance_id=_instance_id(cells) or raw.id,
        form_id=form_id,
        form_version=version,
        submitted_at=submitted_at,
        submitter=cells.get("SubmitterName", ""),
        review_state=REVIEW_WORDS[review],
        edited=cells.get("Edits", "0") != "0",
        answers={} if sealed else answers,
        attachments=tuple(Attachment(name) for name in dict.fromkeys([*named, *sorted(there - set(named))]) if name),
        sealed=sealed,
    )


def _instance_id(cells: Mapping[str, str]) -> str:
    return cells.get("meta-instanceID", "") or cells.get("instanceID", "")


def _answers(node: Mapping[str, Any], form: Form, repeat: str, above: str) -> dict[str, str | list[Answers]]:
    known = paths_of(form, repeat, "-")
    cells = node["cells"]
    answers: dict[str, str | list[Answers]] = {}
    for heading, cell in cells.items():
        base = next((heading.removesuffix(part) for part in _PARTS if heading.endswith(part)), "")
        path = known.get(heading, known.get(base, "")) if base else known.get(heading, "")
        if path in _ENVELOPE or heading in _OWN:
            continue
        if path and base and heading not in known:
            answers[path] = " ".join(cells.get(base + part, "") for part in _PARTS).rstrip()
        elif path:
            answers[path] = cell
        elif not is_part(heading, known):
            # A question that this workspace does not know (any more): kept, and told as drift.
            answers[f"{repeat}/{heading}" if repeat else heading] = cell
    for row in node["below"]:
        key = row["cells"]["KEY"]
        path = _NUMBER.sub("", key.removeprefix(f"{above}/")).strip("/")
        path = f"{repeat}/{path}" if repeat else path
        rows = answers.setdefault(path, [])
        if not key.startswith(f"{above}/") or not isinstance(rows, list):
            raise ValueError("a key that is not below that of its parent")
        rows.append(_answers(row, form, path, key))
    return answers


_OWN: Final = frozenset({FIRST, *LAST, *LAST_OF_REPEAT})


def _named(answers: Answers, form: Form) -> Iterator[str]:
    """Files that answers name."""
    for path, value in answers.items():
        question = form.by_path.get(path)
        if isinstance(value, list):
            for row in value:
                yield from _named(row, form)
        elif path == "meta/audit" or (question and question.type in FILE_TYPES):
            yield value
