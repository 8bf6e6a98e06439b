"""Share: the address and QR code that connect a phone to a server, whatever kind of server it is."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from dialogkit.config import ServerSection
from dialogkit.errors import ConfigError, NotOnServer
from dialogkit.files import write_whole
from dialogkit.model.host import PhoneAccess
from dialogkit.serve.access import Access
from dialogkit.serve.running import parse_listen
from dialogkit.servers.share import collect_settings, qr_file, qr_terminal, qr_text
from dialogkit.steps import servers
from dialogkit.steps.deployments import remote_ids
from dialogkit.steps.serve import Running, access_of, checked_address, embedded_server
from dialogkit.workspace import Workspace

_EVERYWHERE: Final = ("0.0.0.0", "::")  # noqa: S104 - compared with, not bound to
#: Of the app user on ODK Central, as of the first phone key of dialogkit's own server.
_FIRST_LABEL: Final = "phones"


@dataclass(frozen=True, slots=True)
class Shared:
    """What a phone needs. `url` and `text` may hold a key: show them to those who shall have it only.

    Args:
        url: the server address for ODK Collect or KoboCollect.
        text: what the QR code says.
        kind: of the server, as in dialogkit.toml.
        reachable: whether another device can use the address at all.
        encrypted: whether nobody on the way can read what is sent (https).
        username: to be typed on the phone with its password; empty where nobody signs in.
        label: of the key or account that was let in; empty for dialogkit's own server.
    """

    url: str = field(repr=False)
    text: str = field(repr=False)
    kind: str
    reachable: bool
    encrypted: bool
    username: str = ""
    label: str = ""

    @property
    def terminal(self) -> str:
        """The QR code in characters."""
        return qr_terminal(self.text)


def share(
    workspace: Workspace, *, form_id: str = "", server: str = "", label: str = "", public_url: str = ""
) -> Shared:
    """Address and QR code for phones. dialogkit's own server does not have to run.

    Args:
        workspace: with a server.
        form_id: which form phones get. They get every form of dialogkit's own server, and every one deployed on the
            other kinds where none is named.
        server: its name in dialogkit.toml; by default the form's, or dialogkit's own.
        label: of the phone key (dialogkit's own server; by default the first), of the app user (ODK Central; by default
            `phones`, made when there is none), or the collector's user name or `anonymous` (KoboToolbox).
        public_url: the address that phones use, when it is not the one in dialogkit.toml.

    Raises:
        ConfigError: CONFIG-005, CONFIG-032, CONFIG-013 no such form or server; CONFIG-015, this cannot be shared;
            CONFIG-016, the address is not one of the web; CONFIG-017, the key is one for staff; CONFIG-041, the address
            is the server's own; CONFIG-042, nobody is named who may send.
        NotOnServer: SERVER-021, no such key; SERVER-085, the form was not deployed there.
        ServerError: what the other server answers.
    """
    section = _section(workspace, form_id, server)
    if section.kind in ("kobo", "central"):
        return _share_remote(workspace, section, form_id, label, public_url)
    if not section.embedded:
        raise _not_here(f"servers.{section.name}", "It is neither dialogkit's own server, KoboToolbox nor ODK Central.")
    if form_id and workspace.config.forms[form_id].server != section.name:
        raise _not_here(f"forms.{form_id}", f"The form is not on the server {section.name}.")
    base = checked_address(public_url) or f"http://{for_phones(section.listen)}"
    return _shared(workspace, f"{base}/key/{_phone_token(access_of(workspace), label)}")


def _section(workspace: Workspace, form_id: str, server: str) -> ServerSection:
    if form_id:
        return servers.section_of(workspace, form_id, server)
    if server:
        return servers.named(workspace, server)
    others = [one for one in workspace.config.servers.values() if one.kind in ("kobo", "central")]
    own = any(one.embedded for one in workspace.config.servers.values())
    return others[0] if len(others) == 1 and not own else embedded_server(workspace)


def _share_remote(workspace: Workspace, section: ServerSection, form_id: str, label: str, public_url: str) -> Shared:
    """Let phones in, and say how: ODK Central makes an app user, KoboToolbox gives a collector the right to send."""
    where = f"dialogkit.toml, servers.{section.name}"
    if public_url:
        fix = "Leave out --public-url."
        raise ConfigError("CONFIG-041", where, "The address of this server is its own; it cannot be another one.", fix)
    if not label and section.kind == "kobo":
        message = "It is not said who sends to KoboToolbox."
        fix = "Name a collector by user name: --key NAME. To let everybody send without a name: --key anonymous"
        raise ConfigError("CONFIG-042", where, message, fix)
    deployed = remote_ids(workspace, section.name)
    if (form_id and form_id not in deployed) or not deployed:
        message = "The form has not been deployed there." if form_id else "No form has been deployed there."
        fix = f"Deploy it first: dialogkit deploy {form_id or 'FORM'} --server {section.name}"
        raise NotOnServer("SERVER-085", f"{section.name}, {form_id or 'forms'}", message, fix)
    host = servers.host_of(workspace, section)
    chosen = [deployed[form_id]] if form_id else list(deployed.values())
    access, *_ = [host.let_in(remote_id, label or _FIRST_LABEL) for remote_id in chosen]
    return _shared(workspace, access.url, section.kind, access)


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


def _shared(workspace: Workspace, url: str, kind: str = "openrosa", access: PhoneAccess | None = None) -> Shared:
    """The QR code for an address that has its key already, when it needs one."""
    access = access or PhoneAccess(url)
    return Shared(
        url,
        text=qr_text(collect_settings(url, workspace.config.workspace.name, access.username)),
        kind=kind,
        reachable=not _loopback(urlsplit(url).hostname or ""),
        encrypted=url.startswith("https://"),
        username=access.username,
        label=access.label,
    )


def save_qr(code: Shared, path: Path) -> None:
    """Write the QR code, readable by its owner only.

    Raises:
        ConfigError: as `picture_kind`.
    """
    write_whole(path, qr_file(code.text, picture_kind(path)), mode=0o600)


def picture_kind(path: Path) -> str:
    """What a file of this name is to hold: `png` or `svg`.

    Raises:
        ConfigError: CONFIG-014, neither.
    """
    kind = path.suffix.lower().removeprefix(".")
    if kind not in ("png", "svg"):
        raise ConfigError("CONFIG-014", path.name, "A QR code is written as .png or .svg.", "Name the file so.")
    return kind


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


def _not_here(where: str, message: str) -> ConfigError:
    fix = "Name the server that phones shall use: --server NAME"
    return ConfigError("CONFIG-015", f"dialogkit.toml, {where}", message, fix)
