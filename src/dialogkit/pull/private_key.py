"""The private key that opens encrypted submissions: read from a file or a keyring, never written anywhere."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from dialogkit.errors import BatchError

_LARGEST: Final = 64 * 1024
#: What phones mean by "OAEPWithSHA256AndMGF1Padding": SHA-256 for both (as ODK Central and Briefcase read it).
_PADDING: Final = OAEP(mgf=MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=None)


@dataclass(frozen=True)
class PrivateKey:
    """One private key.

    Args:
        where: where it came from, for messages.
        rsa: the key itself; it is in no text that this object gives of itself.
    """

    where: str
    rsa: RSAPrivateKey = field(repr=False)

    def open(self, sealed: bytes) -> bytes | None:
        """What was encrypted with the public half of this key; None when that was another one."""
        try:
            return self.rsa.decrypt(sealed, _PADDING)
        except ValueError:
            return None


def load_private_key(pem: bytes, where: str) -> PrivateKey:
    """The RSA private key in `pem`: PEM, DER or the bare base64 of DER, each as PKCS#8 or PKCS#1.

    Args:
        pem: what stands in the file or the keyring.
        where: its name, for messages.

    Raises:
        BatchError: it is anything else, or it needs a passphrase.
    """
    data = pem.strip()
    if not data or len(data) > _LARGEST:
        raise _refused(where, "is empty or too large for a private key")
    if b"PUBLIC KEY-----" in data or b"BEGIN CERTIFICATE" in data:
        raise _refused(where, "is a public key, which can only encrypt")
    # The last byte of DER may be that of a line feed: it is taken off only where the file cannot be read with it.
    key = _load(pem) or _load(data)
    if not isinstance(key, RSAPrivateKey):
        raise _refused(where, "is not a private key of RSA that can be read without a passphrase")
    return PrivateKey(where, key)


def _load(data: bytes) -> object:
    try:
        if b"-----BEGIN" in data:
            return serialization.load_pem_private_key(data, password=None)
        der = data if data[:1] == b"\x30" and not data.isascii() else base64.b64decode(data, validate=False)
        return serialization.load_der_private_key(der, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm, binascii.Error):
        # TypeError is the library's word for a passphrase that is missing.
        return None


def _refused(where: str, what: str) -> BatchError:
    return BatchError(
        "BATCH-030",
        where,
        f"The private key {what}.",
        "Give the private half of the form's public_key, as openssl writes it. If it has a passphrase, take that off "
        "into a file that only you can read: openssl pkey -in KEY.pem -out PLAIN.pem",
    )
