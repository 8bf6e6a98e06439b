"""The clients of the servers that dialogkit.toml names."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from dialogkit.config import FILE_NAME, ServerSection
from dialogkit.errors import ConfigError
from dialogkit.model.host import FormHost, ReviewServer
from dialogkit.model.server import FeedServer, ListingServer
from dialogkit.servers.central.forms import CentralForms
from dialogkit.servers.central.mirror import CentralServer
from dialogkit.servers.central.review import CentralReview
from dialogkit.servers.central.session import CentralSession
from dialogkit.servers.folder import FolderServer
from dialogkit.servers.kobo.forms import KoboForms
from dialogkit.servers.kobo.mirror import KoboServer
from dialogkit.servers.kobo.review import KoboReview
from dialogkit.servers.kobo.session import KoboSession
from dialogkit.servers.openrosa import OpenRosaServer
from dialogkit.servers.openrosa_review import OpenRosaReview
from dialogkit.steps.deployments import remote_ids, remote_versions
from dialogkit.steps.secret import secret
from dialogkit.steps.serve import access_of
from dialogkit.workspace import Workspace

#: Keys of a server section that its kind cannot do without.
_NEEDED: Final = {
    "openrosa": (),
    "kobo": ("url", "token_env"),
    "central": ("url", "project_id", "email_env", "password_env"),
    "folder": ("path",),
}


def section_of(workspace: Workspace, form_id: str, server: str = "") -> ServerSection:
    """The server that a form of the workspace is placed on.

    Args:
        workspace: with its settings.
        form_id: of the form.
        server: another one than the form's own, by name.

    Raises:
        ConfigError: CONFIG-005 there is no such form, CONFIG-007 it has no server, CONFIG-032 there is no such server.
    """
    workspace.form_file(form_id)
    name = server or workspace.config.forms[form_id].server
    if not name:
        raise ConfigError(
            "CONFIG-007",
            f"{FILE_NAME}, forms.{form_id}",
            "The form is on no server.",
            f'Add server = "…" to [forms.{form_id}], or import what was published: dialogkit import {form_id} FILE',
        )
    return named(workspace, name)


def named(workspace: Workspace, name: str) -> ServerSection:
    """The server of this name.

    Raises:
        ConfigError: CONFIG-032, dialogkit.toml has none.
    """
    found = workspace.config.servers.get(name)
    if found is None:
        known = ", ".join(workspace.config.servers) or "none yet"
        raise ConfigError(
            "CONFIG-032",
            f"{FILE_NAME}, [servers]",
            f"There is no server named {name}.",
            f"Servers of this workspace: {known}.",
        )
    return found


def pull_server(workspace: Workspace, form_id: str, section: ServerSection) -> FeedServer | ListingServer:
    """The client that pulls a form.

    Raises:
        ConfigError: CONFIG-031 a key is missing, CONFIG-009 a secret is not set, CONFIG-033 it was never deployed.
    """
    _check(section)
    if section.kind == "kobo":
        known = remote_ids(workspace, section.name)
        if form_id not in known:
            raise _never_deployed(section, form_id)
        return KoboServer(_kobo(section), known, remote_versions(workspace, section.name, form_id))
    if section.kind == "central":
        passphrase = _secret(section, "passphrase_env", "the passphrase") if section.passphrase_env else ""
        return CentralServer(_central(section), remote_ids(workspace, section.name), passphrase=passphrase)
    if section.kind == "folder":
        return FolderServer(section.name, workspace.root / section.path, workspace.config.forms)
    return _openrosa(workspace, section)


def host_of(workspace: Workspace, section: ServerSection) -> FormHost:
    """The client that places forms.

    Raises:
        ConfigError: CONFIG-034 nothing can be placed there, otherwise as `pull_server`.
    """
    _check(section)
    if section.kind == "kobo":
        return KoboForms(_kobo(section))
    if section.kind == "central":
        return CentralForms(_central(section))
    raise _cannot(
        workspace,
        section,
        "Forms cannot be placed on it by dialogkit deploy.",
        "dialogkit's own server offers every form of the workspace by itself: dialogkit serve"
        if section.embedded
        else "Only KoboToolbox and ODK Central take forms this way.",
    )


def review_of(workspace: Workspace, form_id: str) -> ReviewServer:
    """The client that takes reviews and corrections of a form's submissions.

    Raises:
        ConfigError: CONFIG-034 the server takes none, otherwise as `pull_server`.
    """
    section = section_of(workspace, form_id)
    _check(section)
    if section.kind == "kobo":
        return KoboReview(_kobo(section), remote_ids(workspace, section.name))
    if section.kind == "central":
        return CentralReview(_central(section), remote_ids(workspace, section.name))
    if section.embedded:
        return OpenRosaReview(_openrosa(workspace, section))
    raise _cannot(workspace, section, "It takes no reviews or corrections.", "Correct it where the data came from.")


def _check(section: ServerSection) -> None:
    parts = urlsplit(section.url)
    if section.url and (parts.scheme not in ("http", "https") or not parts.hostname or parts.fragment):
        raise ConfigError(
            "CONFIG-036",
            f"{FILE_NAME}, servers.{section.name}.url",
            "This is not the address of a server.",
            "Write it with https:// in front and without what a page adds behind #: https://central.example.org",
        )
    for key in _NEEDED[section.kind]:
        if not getattr(section, key):
            raise ConfigError(
                "CONFIG-031",
                f"{FILE_NAME}, servers.{section.name}",
                f"A server of kind {section.kind} needs {key}.",
                f"Add {key} = … to [servers.{section.name}]. What each key means: docs/settings.md.",
            )


def _kobo(section: ServerSection) -> KoboSession:
    return KoboSession(section.name, section.url, _secret(section, "token_env", "the token"))


def _central(section: ServerSection) -> CentralSession:
    return CentralSession(
        section.name,
        section.url,
        section.project_id,
        _secret(section, "email_env", "the e-mail address"),
        _secret(section, "password_env", "the password"),
    )


def _openrosa(workspace: Workspace, section: ServerSection) -> OpenRosaServer:
    if section.embedded:
        token = access_of(workspace).token("staff")
        return OpenRosaServer(section.name, f"http://{section.listen}/key/{token}", embedded=True)
    if section.url:
        token = _secret(section, "token_env", "the token") if section.token_env else ""
        return OpenRosaServer(section.name, section.url.replace("{token}", token))
    raise ConfigError(
        "CONFIG-008",
        f"{FILE_NAME}, servers.{section.name}",
        "It is not said where the server is.",
        'Add listen = "127.0.0.1:8790" for dialogkit\'s own server, or url = "…" for another one.',
    )


def _secret(section: ServerSection, key: str, what: str) -> str:
    return secret(f"servers.{section.name}.{key}", getattr(section, key), what)


def _never_deployed(section: ServerSection, form_id: str) -> ConfigError:
    return ConfigError(
        "CONFIG-033",
        f"{FILE_NAME}, forms.{form_id}",
        f"The form was not deployed to {section.name} from here: deployments.json does not name it.",
        f"Deploy it: dialogkit deploy {form_id}. A project that runs there already is named by remote_id in "
        f"[forms.{form_id}].",
    )


def _cannot(workspace: Workspace, section: ServerSection, message: str, fix: str) -> ConfigError:
    return ConfigError("CONFIG-034", f"{FILE_NAME}, servers.{section.name}", message, fix)
