"""deployments.json: which form stands where under which remote id, and what the server calls our versions.

In the root of the workspace, under version control, without secrets: whoever has the workspace can pull.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from filelock import FileLock, Timeout

from dialogkit.errors import ConfigError, ServerRefused
from dialogkit.files import write_whole
from dialogkit.workspace import Workspace

NAME: Final = "deployments.json"
_FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class PlacedVersion:
    """A version of a form on a server.

    Args:
        version: ours.
        remote_version: what the server calls it.
        content: hash of the workbook and media that were uploaded.
        deployed_at: ISO 8601 in UTC; empty from before it is placed until that is done.
    """

    version: str
    remote_version: str
    content: str
    deployed_at: str


@dataclass(frozen=True, slots=True)
class Deployment:
    """A form on a server; `versions` in the order in which they were placed, `remote_id` empty while it is new."""

    server: str
    form_id: str
    remote_id: str = ""
    active: bool = True
    versions: tuple[PlacedVersion, ...] = ()

    @property
    def done(self) -> tuple[PlacedVersion, ...]:
        """The versions that were placed whole."""
        return tuple(one for one in self.versions if one.deployed_at)

    def with_version(self, placed: PlacedVersion) -> Deployment:
        """The deployment with this version last; what was begun and never ended is left out."""
        others = (one for one in self.done if one.remote_version != placed.remote_version or not placed.deployed_at)
        return replace(self, versions=(*others, placed))


def read_deployments(workspace: Workspace) -> tuple[Deployment, ...]:
    """Everything that was placed, by server and form.

    Raises:
        ConfigError: CONFIG-040, the file is not as dialogkit writes it.
    """
    path = workspace.root / NAME
    try:
        data = json.loads(path.read_bytes())
        return tuple(_deployment(one) for one in {_FORMAT: data["deployments"]}[data["format"]])
    except FileNotFoundError:
        return ()
    except (ValueError, KeyError, TypeError, AttributeError):
        fix = f"Bring {NAME} back from version control; without it dialogkit does not know what stands where."
        raise ConfigError("CONFIG-040", NAME, "The file is not as dialogkit writes it.", fix) from None


def find_deployment(workspace: Workspace, server: str, form_id: str) -> Deployment:
    """The form on this server; an empty one where it was never placed, with what dialogkit.toml says it is there."""
    found = (one for one in read_deployments(workspace) if (one.server, one.form_id) == (server, form_id))
    return next(found, Deployment(server, form_id, _said(workspace, server).get(form_id, "")))


def note(workspace: Workspace, deployment: Deployment) -> None:
    """Write the file whole, with this deployment in the place of an earlier one of the same form and server."""
    others = (one for one in read_deployments(workspace) if _key(one) != _key(deployment))
    listed = [asdict(one) for one in sorted((*others, deployment), key=_key)]
    text = json.dumps({"format": _FORMAT, "deployments": listed}, ensure_ascii=False, indent=1)
    write_whole(workspace.root / NAME, f"{text}\n".encode())


def remote_ids(workspace: Workspace, server: str) -> dict[str, str]:
    """Our form_id → its remote id, for every form on this server: what was deployed goes before dialogkit.toml."""
    placed = {one.form_id: one.remote_id for one in read_deployments(workspace) if one.server == server}
    return _said(workspace, server) | {form_id: remote_id for form_id, remote_id in placed.items() if remote_id}


def remote_versions(workspace: Workspace, server: str, form_id: str) -> dict[str, str]:
    """What this server calls a version → our version, for every version of the form that was placed there."""
    return {one.remote_version: one.version for one in find_deployment(workspace, server, form_id).done}


@contextmanager
def only_one(workspace: Workspace) -> Iterator[None]:
    """Keep another deploy of this workspace out; a killed one leaves no lock behind.

    Raises:
        ServerRefused: SERVER-080, another one is running.
    """
    workspace.versions.mkdir(parents=True, exist_ok=True)
    lock = FileLock(workspace.versions / ".deploy.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        message = "Another dialogkit deploy is running in this workspace."
        raise ServerRefused("SERVER-080", NAME, message, "Wait until it has ended, then run it again.") from None
    try:
        yield
    finally:
        lock.release()


def _said(workspace: Workspace, server: str) -> dict[str, str]:
    """The forms that were on this server before dialogkit knew it."""
    forms = workspace.config.forms.items()
    return {form_id: form.remote_id for form_id, form in forms if form.server == server and form.remote_id}


def _deployment(data: dict[str, Any]) -> Deployment:
    versions = tuple(PlacedVersion(**_texts(one)) for one in data["versions"])
    if not isinstance(data["active"], bool):
        raise TypeError
    texts = _texts({key: data[key] for key in ("server", "form_id", "remote_id")})
    return Deployment(**texts, active=data["active"], versions=versions)


def _texts(data: dict[str, Any]) -> dict[str, str]:
    if not all(isinstance(value, str) for value in data.values()):
        raise TypeError
    return data


def _key(deployment: Deployment) -> tuple[str, str]:
    return deployment.server, deployment.form_id
