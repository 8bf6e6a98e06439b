"""Pull: bring new, changed and deleted submissions of forms from their servers into batches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from dialogkit.errors import BatchError, ConfigError, DialogkitError, ServerError
from dialogkit.forms.versions import find_version, keep_version
from dialogkit.model.form import Form
from dialogkit.model.server import FeedServer, ListingServer
from dialogkit.model.submission import Submission
from dialogkit.progress import SILENT, Progress
from dialogkit.pull.decrypt import unseal
from dialogkit.pull.portions import How, Pulled
from dialogkit.pull.private_key import PrivateKey, load_private_key
from dialogkit.pull.sync import pull_form
from dialogkit.steps.forms import fit_form
from dialogkit.steps.secret import secret
from dialogkit.steps.servers import pull_server, section_of
from dialogkit.workspace import Workspace


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
        ConfigError: a form or server is not named in dialogkit.toml, or a secret is missing.
        BatchError: another pull of the form is running, the disk is full, or a private key is none.
        ServerError: a server did not answer as it should; what was whole before stays. All other forms were pulled;
            `problems` has what else failed.
    """
    chosen = list(forms) or [name for name, form in workspace.config.forms.items() if form.server]
    done: list[Pulled] = []
    failed: list[DialogkitError] = []
    for form_id in chosen:
        try:
            done.append(_pull_one(workspace, form_id, progress, wishes or Wishes()))
        except (ServerError, BatchError) as error:
            failed.append(error)
        else:
            told(done[-1])
    if failed:
        failed[0].problems += tuple(error.problem for error in failed[1:])
        raise failed[0]
    return done


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
    built = fit_form(workspace, form_id)
    unknown = built.form if section.kind == "folder" else None

    @cache
    def find_form(version: str) -> Form | None:
        """Of old data that does not tell its version, the latest form says what repeats."""
        if version == built.form.version:
            # From now on this version may not change: there is data of it.
            keep_version(workspace.versions, built)
        return find_version(workspace.versions, form_id, version) or (unknown if version else built.form)

    def opened(submission: Submission, form: Form, folder: Path, body: bytes) -> Submission:
        return unseal(submission, form, folder, keys, body)

    how = How(full=wishes.full, files=wishes.files, unseal=opened, new_keys=bool(keys or section.passphrase_env))
    return pull_form(server, built.form, find_form, workspace.batches, progress, how)


def _keys(workspace: Workspace, form_id: str, files: Sequence[Path]) -> list[PrivateKey]:
    """The private keys for a form: those that were named, and the one of dialogkit.toml (a path, or the key itself)."""
    keys = [load_private_key(_read(path), path.name) for path in files]
    name = workspace.config.forms[form_id].private_key_env
    if name:
        found = secret(f"forms.{form_id}.private_key_env", name, "the path of the private key")
        data = found.encode() if "-----BEGIN" in found else _read(Path(found).expanduser())
        keys.append(load_private_key(data, name))
    return keys


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(
            "CONFIG-035",
            path.name,
            f"The file of the private key cannot be read ({error.strerror}).",
            "Give its path with --private-key FILE, or in the variable that private_key_env names.",
        ) from None
