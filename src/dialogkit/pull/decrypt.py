"""Opens encrypted submissions on our side: answers and attachments, all of them or none (ODK XForms encryption)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.padding import PKCS7

try:  # its place since release 47
    from cryptography.hazmat.decrepit.ciphers.modes import CFB
except ImportError:
    from cryptography.hazmat.primitives.ciphers.modes import CFB

from dialogkit import xml
from dialogkit.files import free_name, safe_name
from dialogkit.instance import Instance, plain_version, read_instance
from dialogkit.model.form import CARRIED_ID, CARRIED_VERSION, Form
from dialogkit.model.server import FindForm
from dialogkit.model.submission import DAMAGED, NO_KEY, WRONG_KEY, Attachment, Submission
from dialogkit.pull.envelope import ENDING, Envelope, read_envelope
from dialogkit.pull.private_key import PrivateKey
from dialogkit.pull.signature import signed

_PIECE: Final = 256 * 1024
_SMALLEST_RSA: Final = 64
#: What KoboToolbox, and our own copy of a form there, put into an instance beside the answers.
_NOT_ASKED: Final = frozenset({CARRIED_ID, CARRIED_VERSION, "__version__", "formhub/uuid"})


class _Unopened(Exception):  # noqa: N818 - not an error: leaves the work with the reason
    def __init__(self, reason: str) -> None:
        self.reason = reason


@dataclass(frozen=True)
class Opener:
    """What opens encrypted submissions.

    Args:
        keys: private keys; the one that fits is found.
        find_form: the form of a version: which one was filled in stands in the encrypted answers.
    """

    keys: Sequence[PrivateKey]
    find_form: FindForm = lambda _: None


def unseal(submission: Submission, form: Form, folder: Path, opener: Opener, body: bytes = b"") -> Submission:
    """The submission with its answers and attachments in the open, or with the reason why not in `sealed`.

    Nothing in `folder` changes unless all of it could be opened: then `p.png.enc` has become `p.png`, and the file
    of the answers is gone.

    Args:
        submission: its `attachments` name the files in `folder`. One that is not encrypted comes back as it is,
            apart from its version (`plain_version`).
        form: the version that it was made with.
        folder: of the attachments of this one submission.
        opener: with the private keys.
        body: what the server sent; the XML of the phone where there is one.
    """
    submission = replace(submission, form_version=plain_version(submission.form_version))
    envelope = read_envelope(submission, form, body)
    if envelope is None or submission.deleted_at or submission.refused:
        return submission
    try:
        return _open(submission, form, folder, opener, envelope)
    except _Unopened as unopened:
        return replace(submission, sealed=unopened.reason)


def _open(submission: Submission, form: Form, folder: Path, opener: Opener, envelope: Envelope) -> Submission:
    private, key = _key(envelope, opener.keys)
    stored = _stored(submission, folder, envelope)
    ivs = _ivs(envelope.instance_id, key)
    seals = {name: _Seal(key, next(ivs)) for name in envelope.media}
    last = _Seal(key, next(ivs))
    text = _answers(folder / stored[envelope.answers_file], last)
    instance = _instance(text, opener.find_form, form, envelope, submission)
    with _partials() as partials:
        for name, seal in seals.items():
            partials[name] = _write(folder, stored[name], seal)
        digests = {name: partial.md5 for name, partial in partials.items()}
        if not signed(envelope, instance, digests, text, private):
            raise _Unopened(DAMAGED)
        attachments = _place(submission, folder, stored, partials)
    return replace(
        submission,
        form_version=_version(instance, submission),
        answers={path: value for path, value in instance.answers.items() if path not in _NOT_ASKED - set(form.by_path)},
        attachments=attachments,
        sealed="",
    )


def _key(envelope: Envelope, keys: Sequence[PrivateKey]) -> tuple[PrivateKey, bytes]:
    """The private key that fits, and the key of this submission."""
    if not keys:
        raise _Unopened(NO_KEY)
    sealed = _base64(envelope.key)
    if len(sealed) < _SMALLEST_RSA:
        raise _Unopened(DAMAGED)
    for private in keys:
        key = private.open(sealed)
        if key is not None:
            if len(key) != 32:
                raise _Unopened(DAMAGED)
            return private, key
    raise _Unopened(WRONG_KEY)


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text)
    except (binascii.Error, ValueError):
        return b""


def _stored(submission: Submission, folder: Path, envelope: Envelope) -> dict[str, str]:
    """Name in the envelope → name in `folder`; every file must be there, once, as a file of this submission."""
    names = [*envelope.media, envelope.answers_file]
    known = {file.name for file in submission.attachments}
    stored = {name: name if name in known else safe_name(name) for name in names}
    there = [
        name in known and safe_name(name) == name and not (folder / name).is_symlink() and (folder / name).is_file()
        for name in stored.values()
    ]
    if not all(there) or len(set(stored.values())) < len(names):
        raise _Unopened(DAMAGED)
    return stored


def _ivs(instance_id: str, key: bytes) -> Iterator[bytes]:
    """The start of each file: no two files of a submission begin alike."""
    seed = bytearray(hashlib.md5(instance_id.encode() + key, usedforsecurity=False).digest())
    for number in count():
        seed[number % 16] = (seed[number % 16] + 1) % 256
        yield bytes(seed)


@dataclass(frozen=True)
class _Seal:
    """What one file was encrypted with."""

    key: bytes
    iv: bytes

    def open(self, path: Path) -> Iterator[bytes]:
        """The bytes of the file, in pieces."""
        decryptor = Cipher(AES(self.key), CFB(self.iv)).decryptor()
        unpadder = PKCS7(128).unpadder()
        try:
            with path.open("rb") as file:
                while piece := file.read(_PIECE):
                    yield unpadder.update(decryptor.update(piece))
            yield unpadder.update(decryptor.finalize()) + unpadder.finalize()
        except ValueError:
            raise _Unopened(DAMAGED) from None


def _answers(path: Path, seal: _Seal) -> bytes:
    if path.stat().st_size > xml.MAX_BYTES + 16:
        raise _Unopened(DAMAGED)
    return b"".join(seal.open(path))


def _instance(text: bytes, find_form: FindForm, form: Form, envelope: Envelope, submission: Submission) -> Instance:
    """The inner instance; it must be the one that the envelope and the server speak of."""
    try:
        instance = read_instance(text)
        known = find_form(_version(instance, submission)) or form
        if known.repeats:
            instance = read_instance(text, known.repeats)
    except xml.UnsafeXml:
        raise _Unopened(DAMAGED) from None
    ids = {instance.instance_id, envelope.instance_id, submission.instance_id}
    forms = {instance.form_id, envelope.form_id or instance.form_id}
    if len(ids) > 1 or len(forms) > 1 or instance.encrypted:
        raise _Unopened(DAMAGED)
    return instance


@dataclass(frozen=True)
class _Partial:
    """An opened attachment under a name of its own."""

    path: Path
    size: int
    sha256: str
    md5: str


@contextmanager
def _partials() -> Iterator[dict[str, _Partial]]:
    """Opened files that go away again when anything fails."""
    partials: dict[str, _Partial] = {}
    try:
        yield partials
    finally:
        for partial in partials.values():
            partial.path.unlink(missing_ok=True)


def _write(folder: Path, name: str, seal: _Seal) -> _Partial:
    path = folder / f".partial-{secrets.token_hex(8)}"
    sha256, md5, size = hashlib.sha256(), hashlib.md5(usedforsecurity=False), 0
    try:
        with path.open("xb") as file:
            for piece in seal.open(folder / name):
                file.write(piece)
                sha256.update(piece)
                md5.update(piece)
                size += len(piece)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return _Partial(path, size, sha256.hexdigest(), md5.hexdigest())


def _place(
    submission: Submission,
    folder: Path,
    stored: Mapping[str, str],
    partials: Mapping[str, _Partial],
) -> tuple[Attachment, ...]:
    """Give the opened files their names; the encrypted ones go first, for a name may be that of another file."""
    opened = {stored[name]: partial for name, partial in partials.items()}
    taken = {file.name.lower() for file in submission.attachments if file.name not in stored.values()}
    for name in stored.values():
        (folder / name).unlink()
    placed: list[Attachment] = []
    for file in submission.attachments:
        if file.name in opened:
            partial = opened[file.name]
            name = free_name(file.name.removesuffix(ENDING), taken)
            taken.add(name.lower())
            partial.path.rename(folder / name)
            placed.append(Attachment(name, partial.size, partial.sha256))
        elif file.name not in stored.values():
            placed.append(file)
    return tuple(placed)


def _version(instance: Instance, submission: Submission) -> str:
    """KoboToolbox writes a version of its own over ours, which then stands in an answer or nowhere."""
    ours = instance.answers.get(CARRIED_VERSION, "")
    if isinstance(ours, str) and ours:
        return ours
    if "__version__" in instance.answers:
        return submission.form_version
    return plain_version(instance.form_version)
