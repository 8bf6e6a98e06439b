"""Pull: bring new, changed and deleted submissions of forms from their servers into batches."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Final

from dialogkit.errors import ConfigError, DialogkitError, FormError
from dialogkit.forms.lint import unfit_to_serve
from dialogkit.forms.versions import find_version, keep_version, known_versions
from dialogkit.model.form import BuiltForm, Form
from dialogkit.model.server import FeedServer, ListingServer
from dialogkit.model.submission import Submission
from dialogkit.problem import Problem
from dialogkit.progress import SILENT, Progress
from dialogkit.pull.decrypt import Opener, unseal
from dialogkit.pull.portions import How, Pulled
from dialogkit.pull.private_key import PrivateKey, load_private_key
from dialogkit.pull.sync import pull_form
from dialogkit.servers.again import stoppable
from dialogkit.steps.forms import own_form
from dialogkit.steps.secret import secret
from dialogkit.steps.servers import pull_server, section_of
from dialogkit.workspace import Workspace

_LONGEST_PATH: Final = 300


@dataclass(frozen=True)
class Wishes:
    """What a person may ask of a pull.

    Args:
        full: fetch every submission, whatever was pulled before.
        files: fetch attachments.
        keys: files with private keys, beside the one that dialogkit.toml names for a form.
    """

    full: bool = False
    files: bool = True
    keys: tuple[Path, ...] = ()


def pull(
    workspace: Workspace,
    forms: Sequence[str] = (),
    progress: Progress = SILENT,
    wishes: Wishes | None = None,
    told: Callable[[Pulled], None] = lambda _: None,
) -> list[Pulled]:
    """Pull the named forms, or all of the workspace that have a server. One that fails does not stop the others.

    Args:
        workspace: with its settings.
        forms: ids.
        progress: told of each page.
        wishes: what else than the usual.
        told: called with the result of each form as soon as it is there.

    Raises:
        DialogkitError: the first that failed; `problems` has what else did. All other forms were pulled, and what was
            whole before stays. ConfigError: a form or server is not named in dialogkit.toml, or a secret is missing.
            FormError: a workbook cannot be used. BatchError: another pull of the form is running, the disk is full,
            or a private key is none. ServerError: a server did not answer as it should.
    """
    chosen = list(forms) or _waiting(workspace)
    done: list[Pulled] = []
    failed: list[DialogkitError] = []
    for form_id in chosen:
        try:
            with stoppable():
                done.append(_pull_one(workspace, form_id, progress, wishes or Wishes()))
        except DialogkitError as error:
            failed.append(error)
        else:
            told(done[-1])
    if failed:
        # One server that is down says the same of every form on it: once is enough.
        others = {str(error.problem): error.problem for error in failed[1:]}
        others.pop(str(failed[0].problem), None)
        failed[0].problems += tuple(others.values())
        raise failed[0]
    return done


def not_started(workspace: Workspace) -> list[str]:
    """The forms on our own server while it was never started: nothing can have come."""
    if (workspace.server / "keys.json").exists():
        return []
    config = workspace.config
    placed = ((form_id, form.server) for form_id, form in config.forms.items() if form.server)
    return [form_id for form_id, server in placed if config.servers[server].embedded]


def _waiting(workspace: Workspace) -> list[str]:
    empty = set(not_started(workspace))
    return [form_id for form_id, form in workspace.config.forms.items() if form.server and form_id not in empty]


def server_of(workspace: Workspace, form_id: str) -> FeedServer | ListingServer:
    """The server that a form of the workspace is pulled from.

    Raises:
        ConfigError: it has none, or the server cannot be used.
    """
    return pull_server(workspace, form_id, section_of(workspace, form_id))


def _pull_one(workspace: Workspace, form_id: str, progress: Progress, wishes: Wishes) -> Pulled:
    section = section_of(workspace, form_id)
    keys = _keys(workspace, form_id, wishes.keys)
    server = pull_server(workspace, form_id, section)
    own = _form_of(workspace, form_id)
    # Data from before dialogkit does not tell our version: who says what it is says what it was asked with.
    before = section.kind == "folder" or bool(workspace.config.forms[form_id].remote_id)

    @cache
    def find_form(version: str) -> Form | None:
        if version == own.form.version and own.fit is not None:
            # From now on this version may not change: there is data of it.
            keep_version(workspace.versions, own.fit)
        known = find_version(workspace.versions, form_id, version)
        return known or (own.form if before or version in ("", own.form.version) else None)

    opener = Opener(keys, find_form)

    def opened(submission: Submission, form: Form, folder: Path, body: bytes) -> Submission:
        return unseal(submission, form, folder, opener, body)

    how = How(
        full=wishes.full,
        files=wishes.files,
        unseal=opened,
        new_keys=bool(keys or section.passphrase_env),
        assume=own.form.version if before else "",
    )
    pulled = pull_form(server, own.form, find_form, workspace.batches, progress, how)
    return replace(pulled, warnings=(*pulled.warnings, *own.told))


@dataclass(frozen=True)
class _Own:
    """The form by which submissions are read; `fit` when it may go to phones as it is."""

    form: Form
    fit: BuiltForm | None = None
    told: tuple[Problem, ...] = ()


def _form_of(workspace: Workspace, form_id: str) -> _Own:
    """The workbook, or while somebody works on it the last version that was kept: data does not wait for it.

    Raises:
        FormError: the workbook cannot be used, and no version of it was ever kept.
    """
    try:
        built = own_form(workspace, form_id)
    except FormError as error:
        known = list(known_versions(workspace.versions, form_id).values())
        if not known:
            raise
        return _Own(known[-1], told=(_being_changed(form_id, error, known[-1].version),))
    return _Own(built.form, None if unfit_to_serve(built.form) else built)


def _being_changed(form_id: str, error: FormError, version: str) -> Problem:
    return Problem(
        "FORM-072",
        "warning",
        form_id,
        f"The workbook cannot be used as it is ({error.code}: {error.message}) Submissions were read by version "
        f"{version}, which was kept.",
        error.fix,
    )


def _keys(workspace: Workspace, form_id: str, files: Sequence[Path]) -> list[PrivateKey]:
    """The private keys for a form: those that were named, and the one of dialogkit.toml (a path, or the key itself)."""
    keys = [load_private_key(_read(path, path.name), path.name) for path in files]
    name = workspace.config.forms[form_id].private_key_env
    if name:
        found = secret(f"forms.{form_id}.private_key_env", name, "the path of the private key, or the key itself")
        # No path is so long, and a key must never be shown as one that cannot be read.
        is_key = "-----BEGIN" in found or len(found) > _LONGEST_PATH
        data = found.encode() if is_key else _read(Path(os.path.expanduser(found)), name)  # noqa: PTH111 - Path's raises where there is no such user
        keys.append(load_private_key(data, name))
    return keys


def _read(path: Path, shown: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(
            "CONFIG-035",
            shown,
            f"The file of the private key cannot be read ({error.strerror}).",
            "Give its path with --private-key FILE, or in the variable that private_key_env names.",
        ) from None
