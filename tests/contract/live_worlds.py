"""Real servers as worlds: KoboToolbox and ODK Central where the environment says which, skipped where it does not.

Each world places a form of its own through our own clients, sends to it as phones do, changes what is there as staff
do, and takes the form away at the end.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape

import pytest
import requests

from dialogkit import xml
from dialogkit.files import write_whole
from dialogkit.forms.build import build_form
from dialogkit.forms.remote_copy import remote_copy, xlsx_bytes
from dialogkit.model.form import Form
from dialogkit.model.host import Upload
from dialogkit.servers.central.forms import CentralForms
from dialogkit.servers.central.mirror import CentralServer
from dialogkit.servers.central.session import CentralSession
from dialogkit.servers.kobo.forms import KoboForms
from dialogkit.servers.kobo.mirror import KoboServer
from dialogkit.servers.kobo.session import KoboSession
from tests.contract.worlds import FORM, WORLDS, Posts, World

#: What a live world is told by the environment, `DIALOGKIT_TEST_` before each.
TOLD: Final[Mapping[str, tuple[str, ...]]] = {
    "kobo-live": ("KOBO_URL", "KOBO_TOKEN"),
    "central-live": ("CENTRAL_URL", "CENTRAL_PROJECT", "CENTRAL_EMAIL", "CENTRAL_PASSWORD"),
}
#: Read at once: a test finds no setting of ours in its environment.
_SET: Final[Mapping[str, str]] = {
    name: os.environ.get(f"DIALOGKIT_TEST_{name}", "") for names in TOLD.values() for name in names
}
_SECONDS: Final = 60


@dataclass(frozen=True)
class Secrets:
    """What must not be kept anywhere."""

    token: str = ""
    password: str = ""


@dataclass
class Staff:
    """Plain requests as staff make them in a browser: any refusal ends the test."""

    url: str
    session: requests.Session = field(default_factory=requests.Session)

    def ask(self, method: str, path: str, **more: Any) -> requests.Response:
        reply = self.session.request(method, f"{self.url}{path}", timeout=_SECONDS, **more)
        assert reply.ok, (method, path, reply.status_code, reply.text[:500])
        return reply


class Phone(Posts):
    """Sends submissions with ids that no other run gives."""

    def _name(self) -> str:
        return f"uuid:{uuid.uuid4()}"


@contextmanager
def central_live(folder: Path) -> Iterator[World]:
    """A real ODK Central: an app user sends, and an account of staff does the rest."""
    url, project, email, password = _told("central-live")
    ours, there, workbook = _forms(folder)
    session = CentralSession("far", url, int(project), email, password)
    host = CentralForms(session)
    staff = Staff(f"{url.rstrip('/')}/v1")
    signed_in = staff.ask("POST", "/sessions", json={"email": email, "password": password}).json()
    staff.session.headers["Authorization"] = f"Bearer {signed_in['token']}"
    path = f"/projects/{project}/forms/{quote(there.form_id, safe='')}"

    def submission(key: str) -> str:
        return f"{path}/submissions/{quote(key, safe='')}"

    def review(key: str, state: str) -> None:
        word = {"has_issues": "hasIssues", "": None}.get(state, state)
        staff.ask("PATCH", submission(key), json={"reviewState": word})

    try:
        host.place(Upload(there, workbook), "")
        access = host.let_in(there.form_id, f"phone of {there.form_id}")
        phone = Phone(access.url, there)
        yield World(
            kind="central",
            form=ours,
            client=lambda: CentralServer(
                CentralSession("far", url, int(project), email, password), {"visit": there.form_id}
            ),
            can=frozenset({"edit", "review", "delete", "restore", "attach"}),
            new=phone.new,
            edit=phone.edit,
            review=review,
            delete=lambda key: _done(staff.ask("DELETE", submission(key))),
            restore=lambda key: _done(staff.ask("POST", f"{submission(key)}/restore")),
            attach=phone.attach,
            place=Secrets(token=access.url.partition("/key/")[2].partition("/")[0], password=password),
        )
    finally:
        for user in staff.ask("GET", f"/projects/{project}/app-users").json():
            if user["displayName"] == f"phone of {there.form_id}":
                staff.ask("DELETE", f"/projects/{project}/app-users/{user['id']}")
        if host.find(there.form_id, there.title):
            staff.ask("DELETE", path)
        staff.ask("DELETE", "/sessions/current")


@contextmanager
def kobo_live(folder: Path) -> Iterator[World]:
    """A real KoboToolbox: the owner of the form sends, reviews and deletes."""
    url, token = _told("kobo-live")
    ours, there, workbook = _forms(folder, carried=True)
    session = KoboSession("far", url, token)
    host = KoboForms(session)
    staff = Staff(url.rstrip("/"))
    staff.session.headers.update({"Authorization": f"Token {token}", "Accept": "application/json"})
    numbers: dict[str, int] = {}

    def submission(uid: str, key: str) -> str:
        data = f"/api/v2/assets/{uid}/data/"
        if key not in numbers:
            asked = {"query": f'{{"meta/rootUuid": "{key}"}}', "fields": '["_id"]'}
            numbers[key] = staff.ask("GET", data, params=asked).json()["results"][0]["_id"]
        return f"{data}{numbers[key]}/"

    def review(uid: str, key: str, state: str) -> None:
        words = {"approved": "approved", "rejected": "not_approved", "has_issues": "on_hold"}
        asked = {"validation_status.uid": f"validation_status_{words[state]}"} if state else None
        staff.ask("PATCH" if state else "DELETE", f"{submission(uid, key)}validation_status/", json=asked)

    try:
        placed = host.place(Upload(there, workbook), "")
        uid, signed = placed.remote_id, {"Authorization": f"Token {token}", "X-OpenRosa-Version": "1.0"}
        sent_as = replace(there, form_id=uid, version=placed.remote_version)
        kc = session.phone_url()
        phone = Phone(kc, sent_as, root=uid, beside=_beside(_on_phone(kc, uid, signed), uid), headers=signed)
        yield World(
            kind="kobo",
            form=ours,
            client=lambda: KoboServer(KoboSession("far", url, token), {"visit": uid}),
            can=frozenset({"edit", "review", "delete", "attach"}),
            new=phone.new,
            edit=phone.edit,
            review=lambda key, state: review(uid, key, state),
            delete=lambda key: _done(staff.ask("DELETE", submission(uid, key))),
            attach=phone.attach,
            place=Secrets(token=token),
        )
    finally:
        if left := host.find("visit", there.title):
            staff.ask("DELETE", f"/api/v2/assets/{left}/")


def _forms(folder: Path, *, carried: bool = False) -> tuple[Form, Form, bytes]:
    """Our form, the same under a name that is on no server yet, and its workbook."""
    name = f"visit_{uuid.uuid4().hex[:12]}"
    write_whole(folder / "visit.md", FORM.encode())
    write_whole(folder / "there.md", FORM.replace("| Visit      | visit   |", f"| {name} | {name} |").encode())
    ours = build_form(folder / "visit.md").form
    copy = remote_copy(folder / "there.md", {}, ours if carried else None)
    return ours, build_form(folder / "there.md").form, xlsx_bytes(copy)


def _on_phone(kc: str, uid: str, signed: Mapping[str, str]) -> Element:
    """The form as KoboToolbox gives it to phones."""
    for listed in xml.parse(requests.get(f"{kc}/formList", headers=signed, timeout=_SECONDS).content):
        facts = {xml.local(one): one.text or "" for one in listed}
        if facts["formID"] == uid:
            return xml.parse(requests.get(facts["downloadUrl"], headers=signed, timeout=_SECONDS).content)
    raise AssertionError("the form is not offered to phones")


def _beside(form: Element, uid: str) -> bytes:
    """What a phone fills in beside our questions: the texts that stand in the form itself."""
    found = ""
    for bind in form.iter():
        text = bind.get("calculate", "")
        if xml.local(bind) == "bind" and text.startswith("'"):
            names = bind.get("nodeset", "").removeprefix(f"/{uid}/").split("/")
            inside = escape(text.strip("'"))
            found += "".join(f"<{name}>" for name in names) + inside + "".join(f"</{name}>" for name in names[::-1])
    return found.encode()


def _told(kind: str) -> list[str]:
    return [_SET[name] for name in TOLD[kind]]


def _done(_: object) -> None:
    return None


def _where_told(kind: str) -> Any:
    missing = [f"DIALOGKIT_TEST_{name}" for name in TOLD[kind] if not _SET[name]]
    skip = pytest.mark.skipif(bool(missing), reason=f"no server of this kind: {', '.join(missing)} not set")
    return pytest.param(kind, marks=[pytest.mark.live, skip])


EVERYWHERE: Final[Mapping[str, Callable[[Path], AbstractContextManager[World]]]] = {
    **WORLDS,
    "kobo-live": kobo_live,
    "central-live": central_live,
}
#: For `parametrize`: live ones are marked so, and skipped where the environment names no server.
KINDS: Final = [*WORLDS, *map(_where_told, TOLD)]
