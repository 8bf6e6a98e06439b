"""Checks the signature of an encrypted submission: every file is the one that the phone encrypted."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterator, Mapping

from dialogkit.instance import Instance
from dialogkit.pull.envelope import ENDING, Envelope
from dialogkit.pull.private_key import PrivateKey


def signed(
    envelope: Envelope, instance: Instance, digests: Mapping[str, str], answers: bytes, private: PrivateKey
) -> bool:
    """Whether the signature says nothing against the files. One that is missing or not for this key says nothing.

    Args:
        envelope: holds the signature.
        instance: the inner instance: it names the form where the envelope does not.
        digests: MD5 of each opened attachment, by its name in the envelope.
        answers: the opened file of the answers.
        private: the key that opened the submission.
    """
    try:
        found = private.open(base64.b64decode(envelope.signature))
    except (binascii.Error, ValueError):
        return True
    return found is None or found in _possible(envelope, instance, digests, answers)


def _possible(envelope: Envelope, instance: Instance, digests: Mapping[str, str], answers: bytes) -> Iterator[bytes]:
    """What a phone or a browser would have signed, the usual case first."""
    files = [f"{name.removesuffix(ENDING)}::{md5}" for name, md5 in digests.items()]
    last = envelope.answers_file.removesuffix(ENDING)
    forms = {(envelope.form_id, envelope.version), (instance.form_id, instance.form_version)}
    for md5_of in (_md5, _md5_of_enketo):
        for form_id, version in forms:
            head = [form_id, version] if version else [form_id]
            lines = [*head, envelope.key, envelope.instance_id, *files, f"{last}::{md5_of(answers).hex()}"]
            yield _md5("".join(line + "\n" for line in lines).encode())


def _md5(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).digest()


def _md5_of_enketo(text: bytes) -> bytes:
    """Enketo hashes the UTF-16 units of a text as if they were bytes: the upper half of a unit falls onto the next.

    Four units make a word of MD5, and nothing falls out of a word.
    """
    units = text.decode(errors="replace").encode("utf-16-le")
    low, high = units[0::2], bytearray(b"\0" + units[1:-2:2])
    high[0::4] = bytes(len(high[0::4]))
    mixed = int.from_bytes(low, "little") ^ int.from_bytes(high, "little")
    return _md5(mixed.to_bytes(len(low), "little"))
