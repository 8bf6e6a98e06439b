"""Serve: offer the forms of a workspace to phones and keep what they send."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Final

from dialogkit.config import FILE_NAME, ServerSection
from dialogkit.errors import ConfigError, FormError
from dialogkit.forms.versions import find_version
from dialogkit.model.form import BuiltForm, Form
from dialogkit.problem import Problem
from dialogkit.serve.access import Access, Role
from dialogkit.serve.app import make_app
from dialogkit.serve.catalogue import Catalogue, FindVersion
from dialogkit.serve.running import Listening, listening, parse_listen
from dialogkit.serve.store import Store
from dialogkit.steps.forms import prepare
from dialogkit.workspace import Workspace

_FIRST_KEYS: Final[tuple[tuple[str, Role], ...]] = (("phones", "phone"), ("staff", "staff"))


@dataclass(frozen=True)
class Running:
    """The server while it answers.

    Args:
        at: host and port.
        forms: what phones may load.
        access: its keys.
        left_out: why other forms of the workspace are not offered.
        damaged: how many stored submissions could not be read and were moved to `server/damaged`.
        public_url: the address that phones use, when it is another one.
    """

    at: Listening
    forms: tuple[BuiltForm, ...]
    access: Access
    left_out: tuple[Problem, ...] = ()
    damaged: int = 0
    public_url: str = ""

    @property
    def address(self) -> str:
        """`host:port`."""
        return self.at.address

    @property
    def url(self) -> str:
        """`http://host:port`, without a key."""
        return self.at.url

    @property
    def phone_url(self) -> str:
        """The address for phones, with the first key of that role."""
        return f"{self.public_url or self.url}/key/{self.access.token('phone')}"

    @property
    def staff_url(self) -> str:
        """The address for dialogkit itself, with the first key for staff."""
        return f"{self.url}/key/{self.access.token('staff')}"


def access_of(workspace: Workspace) -> Access:
    """The keys of the embedded server."""
    return Access(workspace.server / "keys.json")


def embedded_server(workspace: Workspace) -> ServerSection:
    """The server in `dialogkit.toml` that dialogkit itself is.

    Raises:
        ConfigError: CONFIG-013, there is none.
    """
    found = next((server for server in workspace.config.servers.values() if server.embedded), None)
    if found is None:
        raise ConfigError(
            "CONFIG-013",
            FILE_NAME,
            "No server of this workspace is dialogkit's own.",
            'Add a section: [servers.field] with kind = "openrosa" and listen = "127.0.0.1:8790".',
        )
    return found


def checked_address(public_url: str) -> str:
    """The address that phones use, without a slash at its end; empty where there is no other one.

    Raises:
        ConfigError: CONFIG-016, it begins neither with http:// nor with https://.
    """
    if public_url and not public_url.lower().startswith(("http://", "https://")):
        raise ConfigError(
            "CONFIG-016",
            "--public-url",
            "The address for phones begins with http:// or https://.",
            "Write it in full, such as https://forms.example.org.",
        )
    return public_url.rstrip("/")


@contextmanager
def running(
    workspace: Workspace,
    forms: Sequence[BuiltForm],
    find_form: FindVersion,
    *,
    listen: str,
    public_url: str = "",
    left_out: Sequence[Problem] = (),
) -> Iterator[Running]:
    """Serve these forms until the block ends. The first keys are made where there are none.

    Args:
        workspace: where keys and submissions are kept.
        forms: what phones may load.
        find_form: form_id and version → form, for submissions made with older versions.
        listen: `host:port`; port 0 takes a free one.
        public_url: the address that phones use, when it is another one (a proxy with TLS).
        left_out: handed on in `Running`.

    Raises:
        ConfigError: CONFIG-016, see `checked_address`.
        ServerError: the port is taken, or another process serves this workspace.
    """
    host, port = parse_listen(listen)
    public_url = checked_address(public_url)
    with closing(Store(workspace.server)) as store:
        access = access_of(workspace)
        _first_keys(access)
        app = make_app(Catalogue(forms, find_form), store, access, public_url=public_url or None)
        with listening(app, host, port) as at:
            yield Running(at, tuple(forms), access, tuple(left_out), store.damaged, public_url)


@contextmanager
def serving(
    workspace: Workspace, listen: str = "", advance: Callable[[], None] = lambda: None, *, public_url: str = ""
) -> Iterator[Running]:
    """Serve every form of the workspace that is placed on the embedded server and fit for phones.

    Args:
        workspace: with an embedded server.
        listen: `host:port`; by default as dialogkit.toml says.
        advance: called after each form.
        public_url: see `running`.

    Raises:
        ConfigError: there is no embedded server.
        FormError: FORM-053 or others, none of the forms can be served.
        ServerError: see `running`.
    """
    server = embedded_server(workspace)
    forms, left_out = _prepared(workspace, server, advance)

    def find_form(form_id: str, version: str) -> Form | None:
        return find_version(workspace.versions, form_id, version)

    with running(
        workspace, forms, find_form, listen=listen or server.listen, public_url=public_url, left_out=left_out
    ) as now:
        yield now


def _prepared(
    workspace: Workspace, server: ServerSection, advance: Callable[[], None]
) -> tuple[list[BuiltForm], list[Problem]]:
    forms: list[BuiltForm] = []
    left_out: list[Problem] = []
    last: FormError | None = None
    for form_id, form in workspace.config.forms.items():
        if form.server != server.name:
            continue
        try:
            forms.append(prepare(workspace, form_id))
        except FormError as error:
            left_out += [*error.problems, error.problem]
            last = error
        advance()
    if last is not None and not forms:
        raise FormError(last.code, last.where, last.problem.message, last.fix, tuple(left_out[:-1]))
    return forms, left_out


def _first_keys(access: Access) -> None:
    roles = {key.role for key in access.list_keys() if not key.revoked}
    for label, role in _FIRST_KEYS:
        if role not in roles:
            access.add_key(label, role)
