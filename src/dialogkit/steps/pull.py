"""Pull: bring new submissions of forms from their servers into batches."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache

from dialogkit.config import FILE_NAME, ServerSection
from dialogkit.errors import ConfigError
from dialogkit.forms.versions import find_version
from dialogkit.model.form import Form
from dialogkit.model.server import FormServer
from dialogkit.progress import SILENT, Progress
from dialogkit.pull.sync import Pulled, pull_form
from dialogkit.servers.openrosa import OpenRosaServer
from dialogkit.steps.forms import prepare
from dialogkit.steps.serve import access_of
from dialogkit.workspace import Workspace


def pull(
    workspace: Workspace, forms: Sequence[str] = (), progress: Progress = SILENT, *, full: bool = False
) -> list[Pulled]:
    """Pull the named forms, or all of the workspace that have a server.

    Raises:
        ConfigError: a form or server is not named in dialogkit.toml, or a token is missing.
        ServerError: a server did not answer as it should; what was whole before stays.
    """
    chosen = list(forms) or [name for name, form in workspace.config.forms.items() if form.server]
    return [_pull_one(workspace, form_id, progress, full=full) for form_id in chosen]


def server_of(workspace: Workspace, form_id: str) -> FormServer:
    """The server that a form of the workspace is placed on.

    Raises:
        ConfigError: it has none, or the server cannot be used.
    """
    workspace.form_file(form_id)
    name = workspace.config.forms[form_id].server
    if not name:
        raise ConfigError(
            "CONFIG-007",
            f"{FILE_NAME}, forms.{form_id}",
            "The form is on no server.",
            f'Add server = "…" to [forms.{form_id}], or import what was published: dialogkit import {form_id} FILE',
        )
    return _server(workspace, workspace.config.servers[name])


def _pull_one(workspace: Workspace, form_id: str, progress: Progress, *, full: bool) -> Pulled:
    server = server_of(workspace, form_id)
    latest = prepare(workspace, form_id).form

    @cache
    def find_form(version: str) -> Form | None:
        return find_version(workspace.versions, form_id, version)

    return pull_form(server, latest, find_form, workspace.batches, progress, full=full)


def _server(workspace: Workspace, section: ServerSection) -> FormServer:
    if section.embedded:
        token = access_of(workspace).token("staff")
        return OpenRosaServer(section.name, f"http://{section.listen}/key/{token}", embedded=True)
    if section.kind == "openrosa" and section.url:
        token = _secret(section)
        return OpenRosaServer(section.name, section.url.format(token=token), embedded=False)
    raise ConfigError(
        "CONFIG-008",
        f"{FILE_NAME}, servers.{section.name}",
        "Submissions cannot be pulled from this server yet: only kind openrosa, with listen or url.",
        'Use kind = "openrosa".',
    )


def _secret(section: ServerSection) -> str:
    if not section.token_env:
        return ""
    if section.token_env in os.environ:
        return os.environ[section.token_env]
    raise ConfigError(
        "CONFIG-009",
        f"{FILE_NAME}, servers.{section.name}.token_env",
        f"The environment variable {section.token_env} is not set.",
        f"Set it to the token of the server: export {section.token_env}=…",
    )
