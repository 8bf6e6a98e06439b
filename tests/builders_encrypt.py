"""Encrypts a submission as a phone does, for tests: with a key of its own, answers last."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms

from dialogkit.instance import read_instance
from dialogkit.model.form import Form
from dialogkit.model.submission import Attachment, Submission
from dialogkit.pull.decrypt import CFB
from dialogkit.pull.private_key import PrivateKey, load_private_key

OAEP = padding.OAEP(mgf=padding.MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=None)


def new_key(number: int = 1, bits: int = 2048) -> rsa.RSAPrivateKey:
    """A key; the same number gives the same key while the tests run."""
    return _key(number, bits)


def private_key(number: int = 1) -> PrivateKey:
    """The key as a pull reads it."""
    pem = new_key(number).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return load_private_key(pem, "key.pem")


@dataclass(frozen=True)
class Sealed:
    """An encrypted submission as it is sent: the XML in the open and the encrypted files."""

    xml: bytes
    files: Mapping[str, bytes]

    def submission(self, form: Form, folder: Path) -> Submission:
        """As a server's client reads it, with its files fetched into `folder`."""
        for name, data in self.files.items():
            (folder / name).write_bytes(data)
        instance = read_instance(self.xml, form.repeats)
        return Submission(
            id=instance.instance_id,
            instance_id=instance.instance_id,
            form_id=form.form_id,
            form_version=instance.form_version,
            submitted_at="2026-11-20T10:00:00.000Z",
            answers=instance.answers,
            attachments=tuple(
                Attachment(name, len(data), hashlib.sha256(data).hexdigest()) for name, data in self.files.items()
            ),
        )

    def without(self, name: str) -> Sealed:
        """One file did not arrive."""
        return replace(self, files={other: data for other, data in self.files.items() if other != name})

    def changed(self, name: str, at: int = 0) -> Sealed:
        """One byte of a file is another."""
        data = bytearray(self.files[name])
        data[at] ^= 1
        return replace(self, files={**self.files, name: bytes(data)})


def seal(
    xml: bytes,
    files: Mapping[str, bytes],
    *,
    key: rsa.RSAPublicKey | None = None,
    instance_id: str = "",
    one_media: bool = False,
    signature: str | None = None,
    xml_digest: str = "",
) -> Sealed:
    """Encrypt the instance `xml` with its files.

    Args:
        xml: the instance in the open.
        files: its attachments, in the order in which they are encrypted.
        key: the public key of the form.
        instance_id: in the envelope, where that is to be another than in `xml`.
        one_media: one element `media` for all files (Collect once did), not one for each.
        signature: in place of the right one.
        xml_digest: MD5 of the instance as the signature has it (Enketo counts it in its own way).
    """
    public = key or new_key().public_key()
    instance = read_instance(xml)
    instance_id = instance_id or instance.instance_id
    secret = secrets.token_bytes(32)
    start = bytearray(hashlib.md5(instance_id.encode() + secret).digest())
    sealed: dict[str, bytes] = {}
    for number, (name, data) in enumerate({**files, "submission.xml": xml}.items()):
        start[number % 16] = (start[number % 16] + 1) % 256
        sealed[f"{name}.enc"] = encrypt(data, secret, bytes(start))
    sealed_key = base64.b64encode(public.encrypt(secret, OAEP)).decode()
    lines = [instance.form_id, *filter(None, [instance.form_version]), sealed_key, instance_id]
    lines += [f"{name}::{hashlib.md5(data).hexdigest()}" for name, data in files.items()]
    lines.append(f"submission.xml::{xml_digest or hashlib.md5(xml).hexdigest()}")
    digest = hashlib.md5("".join(f"{line}\n" for line in lines).encode()).digest()
    signature = base64.b64encode(public.encrypt(digest, OAEP)).decode() if signature is None else signature
    listed = [f"<file>{name}</file>" for name in sealed if name != "submission.xml.enc"]
    media = f"<media>{''.join(listed)}</media>" if one_media else "".join(f"<media>{one}</media>" for one in listed)
    version = f' version="{instance.form_version}"' if instance.form_version else ""
    return Sealed(
        f'<data xmlns="http://opendatakit.org/submissions" id="{instance.form_id}"{version} encrypted="yes">'
        f"<base64EncryptedKey>{sealed_key}</base64EncryptedKey>"
        f'<meta xmlns="http://openrosa.org/xforms"><instanceID>{instance_id}</instanceID></meta>{media}'
        f"<encryptedXmlFile>submission.xml.enc</encryptedXmlFile>"
        f"<base64EncryptedElementSignature>{signature}</base64EncryptedElementSignature></data>".encode(),
        sealed,
    )


@cache
def _key(_: int, bits: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def encrypt(data: bytes, key: bytes, start: bytes) -> bytes:
    fill = 16 - len(data) % 16
    encryptor = Cipher(algorithms.AES(key), CFB(start)).encryptor()
    return encryptor.update(data + bytes([fill]) * fill) + encryptor.finalize()
