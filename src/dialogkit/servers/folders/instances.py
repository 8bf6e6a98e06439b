"""Folders of ODK Briefcase and ODK Collect: one XML a submission, its files beside it."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from dialogkit import xml
from dialogkit.files import safe_name
from dialogkit.instance import Instance, read_instance
from dialogkit.model.server import FindForm
from dialogkit.model.submission import Answers, Attachment, Submission
from dialogkit.servers.folders.raw import Media, Place, Raw, changed_at, in_utc

_FOLDER: Final = re.compile(r"uuid_?([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})", re.IGNORECASE)


def read_instances(place: Place, folder: Path) -> tuple[list[Raw], set[Path]]:
    """The submissions of the form in one folder, and every file that belongs to a submission of any form.

    Raises:
        UnexpectedReply: SERVER-104, an XML that cannot be read, whose id nothing tells.
    """
    found: list[tuple[Path, bytes, Instance]] = []
    broken: list[Raw] = []
    for file in place.folders[folder]:
        if file.suffix.lower() != ".xml":
            continue
        try:
            data = _bytes(file)
            instance = read_instance(data)
        except xml.UnsafeXml as error:
            broken.append(_broken(place, file, error))
        else:
            if instance.form_id and not data.lstrip()[:200].count(b"http://www.w3.org/1999/xhtml"):
                found.append((file, data, instance))
    others = [file for file in place.folders[folder] if file.suffix.lower() != ".xml"]
    used = {file for file, _, _ in found}
    raws = list(broken)
    for file, data, instance in found:
        named = set(_leaves(instance.answers))
        # Briefcase and Collect give each submission a folder; elsewhere an export may lie beside it.
        own = len(found) == 1 and file.stem in ("submission", folder.name)
        mine = [other for other in others if own or other.name in named]
        used |= set(mine)
        if instance.form_id == place.form_id:
            raws.append(_raw(file, data, instance, mine))
    return raws, used


def resolved(raws: Sequence[Raw]) -> list[Raw]:
    """Of each submission the edition that no other replaces, under the id of its first one."""
    by_edition = {raw.edition: raw for raw in raws}
    replaced = {raw.replaces for raw in raws}
    return [replace(raw, id=_first(raw, by_edition)) for raw in raws if raw.broken or raw.edition not in replaced]


def _first(raw: Raw, by_edition: dict[str, Raw]) -> str:
    seen: set[str] = set()
    while raw.replaces and raw.replaces not in seen:
        seen.add(raw.replaces)
        before = by_edition.get(raw.replaces)
        if before is None:
            return raw.replaces
        raw = before
    return raw.id


def read(raw: Raw, form_id: str, find_form: FindForm) -> Submission:
    """The submission.

    Raises:
        UnsafeXml: it cannot be read.
    """
    instance = read_instance(raw.data)
    form = find_form(instance.form_version)
    if form:
        instance = read_instance(raw.data, form.repeats)
    received = in_utc(xml.parse(raw.data).get("submissionDate", ""))
    return Submission(
        id=raw.id,
        instance_id=raw.edition,
        form_id=form_id,
        form_version=instance.form_version,
        submitted_at=received or changed_at(raw.file),
        edited=raw.edition != raw.id,
        answers=instance.answers,
        attachments=tuple(Attachment(media.name) for media in raw.media),
    )


def _bytes(file: Path) -> bytes:
    if file.stat().st_size > xml.MAX_BYTES:
        raise xml.UnsafeXml("is too large for a submission")
    return file.read_bytes()


def _raw(file: Path, data: bytes, instance: Instance, files: Sequence[Path]) -> Raw:
    # Central gives one without an id a new one each time it is sent; here its content is its id.
    edition = instance.instance_id or f"uuid:{uuid.UUID(bytes=hashlib.sha256(data).digest()[:16])}"
    media = {safe_name(other.name): other for other in files}
    return Raw(
        kind="instance",
        id=instance.root_id or edition,
        data=data,
        file=file,
        media=tuple(Media(name, path) for name, path in media.items() if name),
        edition=edition,
        replaces="" if instance.root_id else instance.deprecated_id,
    )


def _broken(place: Place, file: Path, error: xml.UnsafeXml) -> Raw:
    """Briefcase names the folder by the id: the submission is told as unreadable, never as deleted."""
    named = _FOLDER.fullmatch(file.parent.name)
    if not named:
        raise place.broken(file, str(error))
    submission_id = f"uuid:{named[1]}"
    return Raw("instance", submission_id, b"", file, edition=submission_id, broken=True)


def _leaves(answers: Answers) -> Iterator[str]:
    for value in answers.values():
        if isinstance(value, str):
            yield value.strip()
        else:
            for row in value:
                yield from _leaves(row)
