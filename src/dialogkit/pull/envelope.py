"""What an encrypted submission shows in the open: its id, its files in the order of their encryption, its signature."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from xml.etree.ElementTree import tostring

from dialogkit import xml
from dialogkit.instance import in_the_open, read_instance
from dialogkit.model.form import Form
from dialogkit.model.submission import Answers, Submission

#: An encrypted file has the name of the file and this.
ENDING: Final = ".enc"

_KEY: Final = "base64EncryptedKey"
_FILE: Final = "media/file"


@dataclass(frozen=True, slots=True)
class Envelope:
    """The open part of an encrypted submission.

    Args:
        form_id, version: of the form that the phone had; empty where only the answers are at hand.
        instance_id: part of what encrypts every file.
        key: the key of this submission, encrypted with the public key of the form, as text.
        media: names of the encrypted attachments, in the order in which they were encrypted.
        answers_file: name of the encrypted answers, encrypted last.
        signature: over all of it; may be missing.
    """

    form_id: str
    version: str
    instance_id: str
    key: str
    media: tuple[str, ...]
    answers_file: str
    signature: str


def read_envelope(submission: Submission, form: Form, body: bytes) -> Envelope | None:
    """The envelope of a submission; None when its answers are not encrypted.

    Args:
        submission: as the server's client read it.
        form: its form; a submission with an answer in the open is not encrypted, whatever it says.
        body: what the server sent. Where that is the XML of the phone, it goes before `submission.answers`.
    """
    form_id = version = ""
    answers, instance_id = submission.answers, submission.instance_id
    if in_the_open(form, answers):
        return None
    if body.lstrip()[:1] == b"<":
        try:
            instance = read_instance(_of_phone(body))
        except xml.UnsafeXml:
            pass
        else:
            form_id, version = instance.form_id, instance.form_version
            answers, instance_id = instance.answers, instance.instance_id
    if _KEY not in answers or in_the_open(form, answers):
        return None
    return Envelope(
        form_id=form_id,
        version=version,
        instance_id=instance_id,
        key=_text(answers, _KEY),
        media=_media(answers, submission),
        answers_file=_text(answers, "encryptedXmlFile"),
        signature=_text(answers, "base64EncryptedElementSignature"),
    )


def _of_phone(body: bytes) -> bytes:
    """The phone's own XML: an OpenRosa server gives it inside `submission/data`, as ODK Briefcase wants it."""
    root = xml.parse(body)
    data = next((child for child in root if xml.local(child) == "data"), None)
    if xml.local(root) != "submission" or data is None or len(data) != 1:
        return body
    inner: bytes = tostring(data[0], encoding="utf-8")
    return inner


def _text(answers: Answers, path: str) -> str:
    value = answers.get(path, "")
    return value.strip() if isinstance(value, str) else ""


def _media(answers: Answers, submission: Submission) -> tuple[str, ...]:
    """Names in the order of the phone's list; where no list came along, in the order of the attachments."""
    listed = tuple(name.strip() for name in _files(answers))
    if listed or any(path == "media" or path.startswith("media/") for path in answers):
        return listed
    own = _text(answers, "encryptedXmlFile")
    return tuple(file.name for file in submission.attachments if file.name.endswith(ENDING) and file.name != own)


def _files(answers: Answers) -> Iterator[str]:
    """One element `media` for each file, or one for all of them: phones write both."""
    for path, value in answers.items():
        if path not in ("media", _FILE):
            continue
        if isinstance(value, str):
            yield value
        else:
            for row in value:
                yield from _files(row)
