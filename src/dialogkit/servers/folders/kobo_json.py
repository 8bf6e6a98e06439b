"""KoboToolbox's JSON: a list of rows, pages with `results`, or one row a line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from dialogkit.model.form import CARRIED_ID
from dialogkit.model.server import FindForm
from dialogkit.model.submission import Submission
from dialogkit.servers.folders.json_stream import values
from dialogkit.servers.folders.raw import MAX_WHOLE, Media, Place, Raw, changed_at
from dialogkit.servers.kobo.page import split_rows
from dialogkit.servers.kobo.rows import Misshapen, files_of, needs_xml, submission_of, version_of
from dialogkit.servers.kobo.session import text

_ROOT: Final = "meta/rootUuid"


def read_kobo_json(place: Place, file: Path) -> Iterator[Raw]:
    """The submissions of the form in a file; none when it holds something else than rows of data.

    Raises:
        UnexpectedReply: SERVER-103, SERVER-104.
    """
    try:
        for row, data in _rows(place, file):
            if not is_row(row):
                continue
            if wanted(place, file, row):
                yield Raw("kobo", id_of(row), data, file, media_of(place, row))
    except (ValueError, RecursionError):
        raise place.broken(file, "is not whole JSON") from None


def is_row(row: object) -> bool:
    """Whether it is a row of data, and no form, user or file."""
    return isinstance(row, dict) and "_submission_time" in row and bool(text(row, "_uuid") or text(row, _ROOT))


def wanted(place: Place, file: Path, row: Mapping[str, Any]) -> bool:
    """Whether the row is of the form: by our own question in it, else by the name of the file or its folder.

    Raises:
        UnexpectedReply: SERVER-103, nothing tells.
    """
    told = text(row, CARRIED_ID).strip()
    if told or text(row, "_xform_id_string") == place.form_id:
        return not told or told == place.form_id
    if place.named(file):
        return True
    if not place.of_another(file):
        raise place.nameless(file)
    return False


def id_of(row: Mapping[str, Any]) -> str:
    """As on the server; before it told the root, that was the edition."""
    return text(row, _ROOT) or text(row, "meta/instanceID") or f"uuid:{text(row, '_uuid')}"


def media_of(place: Place, row: Mapping[str, Any]) -> tuple[Media, ...]:
    """Its files where the media archive was unpacked: in a folder named by the submission.

    Raises:
        Misshapen: a file without a name.
    """
    there: dict[str, Path] = {}
    for name in (text(row, "_uuid"), id_of(row).removeprefix("uuid:")):
        there = {**place.media.get(name, {}), **there} if name else there
    return tuple(Media(file.name, there.get(file.name)) for file, _ in files_of(row))


def read(raw: Raw, form_id: str, find_form: FindForm) -> Submission:
    """The submission.

    Raises:
        ValueError: it cannot be read.
    """
    ((row, _),) = split_rows(b'{"results":[' + raw.data + b"]}")
    return submission_in(row, raw, form_id, find_form)


def submission_in(row: dict[str, Any], raw: Raw, form_id: str, find_form: FindForm) -> Submission:
    """The submission in a row of KoboToolbox.

    Raises:
        ValueError: it cannot be read.
    """
    version = version_of(row, {})
    form = find_form(version)
    sealed = "base64EncryptedKey" in row
    if needs_xml(row, form) and not sealed:
        # A question has the name of a key of the server, which stands in its place.
        raise Misshapen
    row = {**row, _ROOT: raw.id, "_submission_time": text(row, "_submission_time") or changed_at(raw.file)}
    return submission_of(row, form_id, form, version)


def _rows(place: Place, file: Path) -> Iterator[tuple[Any, bytes]]:
    found = values(file)
    first = next(found, None)
    if first is not None and isinstance(first[0], dict) and isinstance(first[0].get("results"), list):
        # A page as the server gives it: a thousand rows or so.
        if file.stat().st_size > MAX_WHOLE:
            raise place.broken(file, f"is a page of more than {MAX_WHOLE // 1024 // 1024} MB; write it as a list")
        yield from split_rows(file.read_bytes().removeprefix(b"\xef\xbb\xbf"))
    elif first is not None:
        yield first
        yield from found
