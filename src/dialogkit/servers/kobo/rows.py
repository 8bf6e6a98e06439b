"""A row of KoboToolbox's data → a submission: system keys off, every answer as the text that was typed."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Mapping
from typing import Any, Final

from dialogkit.files import free_name, safe_name
from dialogkit.instance import Instance
from dialogkit.model.form import CARRIED_ID, CARRIED_VERSION, Form
from dialogkit.model.server import Entry
from dialogkit.model.submission import Answers, Attachment, Submission
from dialogkit.servers.kobo.session import number, text

#: Written by the server over a question of the same name: the answer is in the XML only.
_COVERED: Final = frozenset(
    {
        "_attachments",
        "_geolocation",
        "_id",
        "_notes",
        "_status",
        "_submission_time",
        "_submitted_by",
        "_tags",
        "_uuid",
        "_validation_status",
        "meta/rootUuid",
    }
)
_SYSTEM: Final = _COVERED | {
    "_bamboo_dataset_id",
    "_supplementalDetails",
    "_userform_id",
    "_xform_id_string",
    CARRIED_ID,
    CARRIED_VERSION,
    "formhub/uuid",
    "meta/deprecatedID",
    "meta/instanceID",
}
_VERSION: Final = re.compile(r"__?version__?(_\d+)?")
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?")
_DEEPEST: Final = 20
#: The server's words for a review state, by ours.
STATUS_UIDS: Final = {
    "approved": "validation_status_approved",
    "rejected": "validation_status_not_approved",
    "has_issues": "validation_status_on_hold",
}
_STATES: Final = {uid: state for state, uid in STATUS_UIDS.items()}
_ENCRYPTED: Final = "base64EncryptedKey"


class Misshapen(ValueError):  # noqa: N818 - named by what it is, like xml.UnsafeXml
    """A row that cannot be read: something is missing, or nested in another way than answers are."""


def entry_of(row: object) -> tuple[int, Entry]:
    """The number and the entry of a row of the listing.

    Raises:
        Misshapen: it is no such row.
    """
    found = _object(row)
    place, submission_id = number(found, "_id"), text(found, "meta/rootUuid")
    if place < 0 or not submission_id.isprintable() or not submission_id:
        raise Misshapen
    return place, Entry(submission_id, signature_of(found), str(place))


def signature_of(row: Mapping[str, Any]) -> str:
    """Changes with every edit (`_uuid`), review, and file that comes or goes."""
    status = row.get("_validation_status") or {}
    files = row.get("_attachments") or []
    if not isinstance(status, dict) or not isinstance(files, list):
        raise Misshapen
    named = sorted([f"{_file_id(_object(file))} {bool(file.get('is_deleted'))}" for file in files])
    facts = [text(row, "_uuid"), text(status, "uid"), str(status.get("timestamp", "")), *named]
    return hashlib.blake2b("\n".join(facts).encode(), digest_size=12).hexdigest()


def needs_xml(row: Mapping[str, Any], form: Form | None) -> bool:
    """Whether the answers can be read from the XML of the submission only.

    That of an encrypted one holds the order of its files; and a question may have the name of a key of the server.
    """
    known: Collection[str] = form.by_path if form else ()
    return (_ENCRYPTED in row and _ENCRYPTED not in known) or (bool(known) and any(path in known for path in _COVERED))


def version_of(row: Mapping[str, Any], versions: Mapping[str, str]) -> str:
    """Our version of the form that the submission was made with, or `""`.

    Args:
        row: of the data.
        versions: version of the server → ours.
    """
    if ours := text(row, CARRIED_VERSION).strip():
        return ours
    # A form that was brought back from the server has several: the last is the newest.
    named = [key for key in row if "version_" in key and _VERSION.fullmatch(key)] if versions else []
    for key in sorted(named, reverse=True):
        if known := versions.get(text(row, key)):
            return known
    return ""


def submission_of(
    row: Mapping[str, Any], form_id: str, form: Form | None, version: str, answers: Answers | None = None
) -> Submission:
    """The submission in a row.

    Args:
        row: of the data, with all its keys.
        form_id: ours.
        form: the form of that version, when it is known.
        version: ours.
        answers: what people answered; None where the row tells it.

    Raises:
        Misshapen: it cannot be read.
    """
    status = row.get("_validation_status") or {}
    received = text(row, "_submission_time").removesuffix("Z")
    edition = text(row, "meta/instanceID") or f"uuid:{text(row, '_uuid')}"
    if not text(row, "meta/rootUuid") or edition == "uuid:" or not _TIME.fullmatch(received):
        raise Misshapen
    return Submission(
        id=text(row, "meta/rootUuid"),
        instance_id=edition,
        form_id=form_id,
        form_version=version,
        submitted_at=f"{received}Z",
        submitter=text(row, "_submitted_by"),
        review_state=_STATES.get(text(status, "uid"), "") if isinstance(status, dict) else "",
        edited=bool(row.get("meta/deprecatedID")),
        answers=read_answers(row, form) if answers is None else answers,
        attachments=tuple(attachment for attachment, _ in files_of(row)),
        signature=signature_of(row),
    )


def read_answers(row: Mapping[str, Any], form: Form | None) -> Answers:
    """What people answered, as in `model.submission.Answers`.

    Raises:
        Misshapen: something is nested in another way than answers are.
    """
    known: Collection[str] = form.by_path if form else ()
    answers: dict[str, str | list[Answers]] = {}
    for path, value in row.items():
        if path in known or not (path in _SYSTEM or ("version_" in path and _VERSION.fullmatch(path))):
            _put(answers, path, value, 0)
    return answers


def answers_of(instance: Instance, form: Form | None) -> Answers:
    """What people answered, where it comes from the XML."""
    known: Collection[str] = form.by_path if form else ()
    ours = _SYSTEM - _COVERED
    return {
        path: value
        for path, value in instance.answers.items()
        if path in known or not (path in ours or _VERSION.fullmatch(path))
    }


def files_of(row: Mapping[str, Any]) -> list[tuple[Attachment, str]]:
    """The attachments that are there, each with the address it can be had at. No two have the same name.

    Raises:
        Misshapen: one has no name or no address.
    """
    taken: set[str] = set()
    found = []
    for file in row.get("_attachments") or []:
        if _object(file).get("is_deleted"):
            continue
        claimed, url = text(file, "media_file_basename") or text(file, "filename"), text(file, "download_url")
        name = safe_name(claimed)
        if not name or not url:
            raise Misshapen
        if name.lower() in taken:
            name = free_name(f"{re.sub(r'[^0-9A-Za-z_-]+', '_', text(file, 'question_xpath'))}-{name}", taken)
        taken.add(name.lower())
        found.append((Attachment(name, mark=text(file, "uid")), url))
    return found


def _put(answers: dict[str, str | list[Answers]], path: str, value: object, depth: int) -> None:
    if isinstance(value, str):
        if value.strip():
            answers[path] = value
    elif isinstance(value, list) and depth < _DEEPEST:
        if value:
            answers[path] = [_row(item, path, depth + 1) for item in value]
    elif isinstance(value, bool | int | float):
        answers[path] = json.dumps(value)
    elif value is not None:
        raise Misshapen


def _row(item: object, path: str, depth: int) -> Answers:
    """A row of a repeat; a question that stands twice in an instance comes as a list of texts."""
    answers: dict[str, str | list[Answers]] = {}
    if isinstance(item, str):
        _put(answers, path, item, depth)
        return answers
    for key, value in _object(item).items():
        if not key.startswith(f"{path}/"):
            raise Misshapen
        _put(answers, key, value, depth)
    return answers


def _object(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Misshapen
    return value


def _file_id(file: Mapping[str, Any]) -> str:
    return text(file, "uid") or text(file, "filename")
