"""ODK's encryption of submissions: sealing one as a phone does, and opening one as Central does."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from cryptography.hazmat.primitives import hashes, padding, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES

try:
    from cryptography.hazmat.decrepit.ciphers.modes import CFB
except ImportError:  # older releases keep it among the others
    from cryptography.hazmat.primitives.ciphers.modes import CFB

_OAEP = OAEP(mgf=MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=None)


class Unopened(Exception):  # noqa: N818 - it is what became of it
    """The key does not fit, or the bytes are damaged."""


@dataclass(frozen=True)
class Sealed:
    """What a phone sends: the XML in the open, and files with their sealed bytes."""

    xml: bytes
    files: dict[str, bytes]


def new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def public_text(key: rsa.RSAPrivateKey) -> str:
    """The public key as it stands in a form: base64 of its DER."""
    der = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der).decode()


def private_pem(key: rsa.RSAPrivateKey) -> bytes:
    """The private key as people keep it in a file."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def seal(
    public: str, form_id: str, version: str, instance_id: str, xml: bytes, media: Mapping[str, bytes] | None = None
) -> Sealed:
    """An instance with its files, encrypted for `public`."""
    loaded = serialization.load_der_public_key(base64.b64decode(public))
    assert isinstance(loaded, rsa.RSAPublicKey)
    key = secrets.token_bytes(32)
    ivs = _ivs(instance_id, key)
    files = {f"{name}.enc": _encrypt(key, next(ivs), content) for name, content in (media or {}).items()}
    listed = "".join(f"<media><file>{escape(name)}</file></media>" for name in files)
    files["submission.xml.enc"] = _encrypt(key, next(ivs), xml)
    sealed_key = base64.b64encode(loaded.encrypt(key, _OAEP)).decode()
    signature = base64.b64encode(loaded.encrypt(hashlib.md5(xml).digest(), _OAEP)).decode()
    outside = (
        f'<data xmlns="http://opendatakit.org/submissions" id={quoteattr(form_id)} version={quoteattr(version)} '
        f'encrypted="yes"><base64EncryptedKey>{sealed_key}</base64EncryptedKey>'
        f'<meta xmlns="http://openrosa.org/xforms"><instanceID>{escape(instance_id)}</instanceID></meta>{listed}'
        "<encryptedXmlFile>submission.xml.enc</encryptedXmlFile>"
        f"<base64EncryptedElementSignature>{signature}</base64EncryptedElementSignature></data>"
    )
    return Sealed(outside.encode(), files)


def open_files(private: rsa.RSAPrivateKey, sealed_key: str, instance_id: str, files: list[bytes | None]) -> list[bytes]:
    """The files in the clear, in the order of the submission; empty bytes where one is missing.

    Raises:
        Unopened: this is not the key, or a file is damaged.
    """
    try:
        key = private.decrypt(base64.b64decode(sealed_key), _OAEP)
        ivs = _ivs(instance_id, key)
        return [_decrypt(key, iv, content) if content else b"" for content, iv in zip(files, ivs, strict=False)]
    except ValueError:
        raise Unopened from None


def _ivs(instance_id: str, key: bytes) -> Iterator[bytes]:
    seed = bytearray(hashlib.md5(instance_id.encode() + key).digest())
    place = 0
    while True:
        seed[place % 16] = (seed[place % 16] + 1) % 256
        yield bytes(seed)
        place += 1


def _encrypt(key: bytes, iv: bytes, content: bytes) -> bytes:
    pad = padding.PKCS7(128).padder()
    worker = Cipher(AES(key), CFB(iv)).encryptor()
    return worker.update(pad.update(content) + pad.finalize()) + worker.finalize()


def _decrypt(key: bytes, iv: bytes, content: bytes) -> bytes:
    worker = Cipher(AES(key), CFB(iv)).decryptor()
    unpad = padding.PKCS7(128).unpadder()
    return unpad.update(worker.update(content) + worker.finalize()) + unpad.finalize()
