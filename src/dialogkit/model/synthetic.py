"""How a made-up submission is told from a real one: by its instanceID, which every server and export keeps."""

from __future__ import annotations

import hashlib
import uuid
from typing import Final

#: RFC 9562, section 5.8: version 8 is for what is made by rules of one's own; phones make version 4.
PREFIX: Final = "uuid:51d1a106-d1a1-8"
#: The attribute at the root of the instance. Servers that take the XML apart lose it, so nothing depends on it.
NAMESPACE: Final = "urn:dialogkit:synthetic"
#: What a form that asks for the phone gets in its place.
DEVICE: Final = "simulated:"


def synthetic_id(*parts: str) -> str:
    """The instanceID of a made-up submission; the same parts give the same id."""
    digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    plain = uuid.UUID(f"51d1a106d1a18{digest[:3]}{int(digest[3], 16) & 3 | 8:x}{digest[4:19]}")
    return f"uuid:{plain}"
