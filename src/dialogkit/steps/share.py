"""Share: the address and QR code that connect a phone to the embedded server."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from dialogkit.errors import ConfigError
from dialogkit.files import write_whole
from dialogkit.serve.access import Access
from dialogkit.serve.running import parse_listen
from dialogkit.servers.share import collect_settings, qr_file, qr_terminal, qr_text
from dialogkit.steps.serve import Running, access_of, checked_address, embedded_server
from dialogkit.workspace import Workspace

_EVERYWHERE: Final = ("0.0.0.0", "::")  # noqa: S104 - compared with, not bound to


@dataclass(frozen=True, slots=True)
class Shared:
    """What a phone needs. `url` and `text` hold the key: show them to those who shall have it only.

    Args:
        url: the server address for ODK Collect.
        text: what the QR code says.
        reachable: whether another device can use the address at all.
        encrypted: whether nobody on the way can read what is sent (https).
    """

    url: str
    text: str
    reachable: bool
    encrypted: bool

    @property
    def terminal(self) -> str:
        """The QR code in characters."""
        return qr_terminal(self.text)


def share(
    workspace: Workspace, *, form_id: str = "", server: str = "", label: str = "", public_url: str = ""
) -> Shared:
    """Address and QR code for phones. The server does not have to run.

    Args:
        workspace: with an embedded server.
        form_id: only to check that this form is served; a phone gets every form of the server.
        server: its name in dialogkit.toml; only dialogkit's own can be shared so far.
        label: of the key; by default the first working phone key.
        public_url: the address that phones use, when it is not the one in dialogkit.toml.

    Raises:
        ConfigError: no such form or server, or the form is on another one; CONFIG-016, the address is not one of the
            web; CONFIG-017, the key is one for staff.
        NotOnServer: SERVER-021, no such key.
    """
    section = embedded_server(workspace)
    if server and server != section.name:
        raise _not_ours(f"servers.{server}", section.name)
    if form_id:
        workspace.form_file(form_id)
        if workspace.config.forms[form_id].server != section.name:
            raise _not_ours(f"forms.{form_id}", section.name)
    base = checked_address(public_url) or f"http://{for_phones(section.listen)}"
    return _shared(workspace, f"{base}/key/{_phone_token(access_of(workspace), label)}")


def share_running(workspace: Workspace, server: Running) -> Shared:
    """Address and QR code of a server that answers, as another device reaches it, with its first phone key."""
    base = server.public_url or f"http://{for_phones(server.address)}"
    return _shared(workspace, f"{base}/key/{server.access.token('phone')}")


def _phone_token(access: Access, label: str) -> str:
    if not label:
        return access.token("phone")
    key = access.labelled(label)
    if key.role == "staff":
        raise ConfigError(
            "CONFIG-017",
            "--key",
            "This is a key for staff: it can read everything that was sent. A phone needs a phone key.",
            "Name a phone key, or make one: dialogkit key add LABEL --role phone",
        )
    return key.token


def _shared(workspace: Workspace, url: str) -> Shared:
    """The QR code for an address that has its key already."""
    text = qr_text(collect_settings(url, workspace.config.workspace.name))
    return Shared(url, text, not _loopback(urlsplit(url).hostname or ""), url.startswith("https://"))


def save_qr(code: Shared, path: Path) -> None:
    """Write the QR code, readable by its owner only.

    Raises:
        ConfigError: CONFIG-014, the file is neither `.png` nor `.svg`.
    """
    kind = path.suffix.lower().removeprefix(".")
    if kind not in ("png", "svg"):
        raise ConfigError("CONFIG-014", path.name, "A QR code is written as .png or .svg.", "Name the file so.")
    write_whole(path, qr_file(code.text, kind), mode=0o600)


def for_phones(listen: str) -> str:
    """`host:port` as another device reaches it: with this computer's address where the server listens on all."""
    host, port = parse_listen(listen)
    if host not in _EVERYWHERE:
        return listen
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            # Nothing is sent: the system only says which of its addresses it would use.
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return listen
        found: str = probe.getsockname()[0]
    return f"{found}:{port}"


def open_to_others(listen: str) -> bool:
    """Whether other devices can reach the server at all."""
    return not _loopback(parse_listen(listen)[0])


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _not_ours(where: str, ours: str) -> ConfigError:
    return ConfigError(
        "CONFIG-015",
        f"dialogkit.toml, {where}",
        "Only what is on dialogkit's own server can be shared so far.",
        f"Its name is {ours}.",
    )
