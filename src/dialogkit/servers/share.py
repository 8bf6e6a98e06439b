"""How a phone is told about a server: the settings of ODK Collect as a QR code."""

from __future__ import annotations

import base64
import io
import json
import zlib
from collections.abc import Mapping
from typing import Any, Final

import segno

#: For segno; `Any`, because its options are of several types.
_FILE_KINDS: Final[Mapping[str, Mapping[str, Any]]] = {
    "png": {"scale": 8, "border": 4},
    "svg": {"scale": 6, "border": 4, "light": "white"},
}

# Of the 256 colours: the first 16 are often not what their names say.
_WHITE_ON_BLACK: Final = "\x1b[38;5;231;48;5;16m"
_PLAIN: Final = "\x1b[0m"


def collect_settings(server_url: str, project_name: str, username: str = "") -> dict[str, Any]:
    """The settings of a project in ODK Collect or KoboCollect that loads its forms from a server and sends on its own.

    Args:
        server_url: the address; it may hold a key.
        project_name: what the project is called on the phone.
        username: of a collector who has to sign in. A password is never part of a code: it is typed on the phone.
    """
    return {
        "general": {
            "protocol": "odk_default",
            "server_url": server_url,
            **({"username": username} if username else {}),
            "form_update_mode": "match_exactly",
            "autosend": "wifi_and_cellular",
        },
        "admin": {"change_server": False},
        "project": {"name": project_name},
    }


def qr_text(settings: Mapping[str, Any]) -> str:
    """What stands in the QR code: base64 of zlib of the settings as JSON."""
    return base64.b64encode(zlib.compress(json.dumps(settings, separators=(",", ":")).encode(), 9)).decode()


def settings_of(text: str) -> dict[str, Any]:
    """The settings in the text of a QR code.

    Raises:
        ValueError: it is not such a text.
    """
    try:
        read: dict[str, Any] = json.loads(zlib.decompress(base64.b64decode(text, validate=True)))
    except (ValueError, zlib.error):
        raise ValueError("not the settings of ODK Collect") from None
    return read


def qr_file(text: str, kind: str) -> bytes:
    """The QR code as a picture.

    Args:
        text: what a phone shall read.
        kind: `png` or `svg`.
    """
    held = io.BytesIO()
    _code(text).save(held, kind=kind, **_FILE_KINDS[kind])
    return held.getvalue()


def qr_terminal(text: str) -> str:
    """The QR code in characters, two rows of it in a line, white on black whatever the colours of the terminal are."""
    held = io.StringIO()
    _code(text).terminal(held, compact=True)
    return "".join(f"{_WHITE_ON_BLACK}{line}{_PLAIN}\n" for line in held.getvalue().splitlines())


def _code(text: str) -> segno.QRCode:
    return segno.make(text, error="l", micro=False)
