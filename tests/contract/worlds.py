"""Servers of every kind with one small form on them, and what happens to submissions there, in the same words.

`WORLDS[kind](folder)` is a context manager that gives a `World`: the look-alikes of KoboToolbox and ODK Central, our
own server, and a folder of submissions that left its server.
"""

from __future__ import annotations

import hashlib
import itertools
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import requests

from dialogkit.config import read_config
from dialogkit.files import write_whole
from dialogkit.forms.build import build_form
from dialogkit.forms.remote_copy import remote_copy, xlsx_bytes
from dialogkit.instance import write_instance
from dialogkit.model.form import BuiltForm, Form
from dialogkit.model.server import FeedServer, ListingServer
from dialogkit.servers.central.mirror import CentralServer
from dialogkit.servers.central.session import CentralSession
from dialogkit.servers.folder import FolderServer
from dialogkit.servers.kobo.mirror import KoboServer
from dialogkit.servers.kobo.session import KoboSession
from dialogkit.servers.openrosa import OpenRosaServer
from dialogkit.steps.serve import running
from dialogkit.workspace import Workspace
from tests.lookalikes import central, kobo

FORM: Final = """
| survey |
|        | type              | name     | label    | calculation |
|        | text              | said     | What?    |             |
|        | integer           | n        | How many |             |
|        | decimal           | money    | Money    |             |
|        | geopoint          | place    | Where    |             |
|        | begin group       | ctx      | More     |             |
|        | select_multiple t | themes   | Themes   |             |
|        | image             | photo    | Photo    |             |
|        | image             | other    | Another  |             |
|        | end group         |          |          |             |
|        | begin repeat      | person   | People   |             |
|        | text              | name     | Name     |             |
|        | begin repeat      | need     | Needs    |             |
|        | text              | what     | What     |             |
|        | end repeat        |          |          |             |
|        | end repeat        |          |          |             |
| choices |
|         | list_name | name  | label |
|         | t         | land  | Land  |
|         | t         | water | Water |
| settings |
|          | form_title | form_id | version |
|          | Visit      | visit   | 7       |
"""

Answers = Mapping[str, Any]


@dataclass
class World:
    """One server with the form on it.

    Args:
        kind: kobo, central, openrosa, folder.
        form: the form.
        client: makes a client as a pull uses it.
        can: what can happen there beside new submissions: edit, review, delete, restore, attach.
        place: the look-alike itself, where there is one.
    """

    kind: str
    form: Form
    client: Callable[[], FeedServer | ListingServer]
    can: frozenset[str]
    new: Callable[[Answers, Mapping[str, bytes]], str]
    edit: Callable[[str, Answers], None] = lambda *_: None
    review: Callable[[str, str], None] = lambda *_: None
    delete: Callable[[str], None] = lambda *_: None
    restore: Callable[[str], None] = lambda *_: None
    attach: Callable[[str, str, bytes], None] = lambda *_: None
    place: Any = None

    def find_form(self, version: str) -> Form | None:
        """The form of a version."""
        return self.form if version == self.form.version else None


def answers_of(number: int, photo: str = "", other: str = "") -> dict[str, Any]:
    """Answers that are easily spoilt on the way: numbers as typed, spaces, quotes, signs of all kinds, repeats."""
    needs = [[{"person/need/what": f"need {row}.{inner}"} for inner in range(row)] for row in range(number % 3 + 1)]
    found: dict[str, Any] = {
        "said": f'Line {number}\nline two "quoted", comma; é ñ 🌾 <b>',
        "n": "007" if number % 2 else "12345678901234567890",
        "money": "1234.50",
        "place": "-1.3133 36.7877 1680.5 4.8",
        "ctx/themes": "land water",
        "person": [
            {"person/name": f"P {number}.{row}"} | ({"person/need": rows} if rows else {})
            for row, rows in enumerate(needs)
        ],
    }
    return found | ({"ctx/photo": photo} if photo else {}) | ({"ctx/other": other} if other else {})


@contextmanager
def kobo_world(folder: Path) -> Iterator[World]:
    """The look-alike of KoboToolbox."""
    built = _built(folder)
    with kobo.lookalike() as place:
        uid = place.state.form(workbook=_workbook(folder, built.form))

        def with_ids(answers: Answers) -> dict[str, Any]:
            return {**answers, "dialogkit_form_id": "visit", "dialogkit_form_version": "7"}

        yield World(
            kind="kobo",
            form=built.form,
            client=lambda: KoboServer(KoboSession("far", place.url, place.token), {"visit": uid}),
            can=frozenset({"edit", "review", "delete", "attach"}),
            new=lambda answers, files: place.state.new(uid, with_ids(answers), files),
            edit=lambda key, answers: _ignore(place.state.edit(key, with_ids(answers))),
            review=place.state.review,
            delete=place.state.delete,
            attach=lambda key, name, data: _ignore(place.state.attach(key, name, data)),
            place=place,
        )


@contextmanager
def central_world(folder: Path) -> Iterator[World]:
    """The look-alike of ODK Central."""
    built = _built(folder)
    words = {"approved": "approved", "rejected": "rejected", "has_issues": "hasIssues", "": None}
    with central.lookalike() as place:
        place.state.publish(_workbook(folder))

        def client() -> CentralServer:
            session = CentralSession("far", place.url, place.project_id, place.email, place.password)
            return CentralServer(session)

        yield World(
            kind="central",
            form=built.form,
            client=client,
            can=frozenset({"edit", "review", "delete", "restore", "attach"}),
            new=lambda answers, files: place.state.new("visit", answers, files),
            edit=lambda key, answers: _ignore(place.state.edit(key, answers)),
            review=lambda key, state: place.state.review(key, words[state]),
            delete=place.state.delete,
            restore=place.state.restore,
            attach=place.state.attach,
            place=place,
        )


@contextmanager
def openrosa_world(folder: Path) -> Iterator[World]:
    """Our own server."""
    built = _built(folder)
    write_whole(folder / "dialogkit.toml", b'[servers.far]\nkind = "openrosa"\nlisten = "127.0.0.1:0"\n')
    workspace = Workspace(folder, read_config(folder / "dialogkit.toml"))
    with running(workspace, [built], lambda *_: None, listen="127.0.0.1:0") as at:
        posts = Posts(at.phone_url, built.form)
        yield World(
            kind="openrosa",
            form=built.form,
            client=lambda: OpenRosaServer("far", at.staff_url, embedded=True),
            can=frozenset({"edit", "attach"}),
            new=posts.new,
            edit=posts.edit,
            attach=posts.attach,
        )


@contextmanager
def folder_world(folder: Path) -> Iterator[World]:
    """Folders of submissions as ODK Briefcase leaves them."""
    built, inside = _built(folder), folder / "left" / "instances"
    inside.mkdir(parents=True)

    def put(key: str, answers: Answers, files: Mapping[str, bytes]) -> None:
        target = inside / key.replace(":", "")
        write_whole(target / "submission.xml", write_instance(built.form, answers, key))
        for name, data in files.items():
            write_whole(target / name, data)

    def new(answers: Answers, files: Mapping[str, bytes]) -> str:
        key = f"uuid:{uuid.uuid4()}"
        put(key, answers, files)
        return key

    yield World(
        kind="folder",
        form=built.form,
        client=lambda: FolderServer("far", folder / "left"),
        can=frozenset({"edit", "delete", "attach"}),
        new=new,
        edit=lambda key, answers: put(key, answers, {}),
        delete=lambda key: shutil.rmtree(inside / key.replace(":", "")),
        attach=lambda key, name, data: write_whole(inside / key.replace(":", "") / name, data),
    )


@dataclass
class Posts:
    """Sends to a server as a phone does.

    Args:
        url: the server as phones know it.
        form: its form_id and version stand in each submission.
        root: the name of the outermost element.
        beside: elements that the server's own copy of the form has beside our questions.
        headers: of each request.
    """

    url: str
    form: Form
    root: str = "data"
    beside: bytes = b""
    headers: Mapping[str, str] = field(default_factory=lambda: {"X-OpenRosa-Version": "1.0"})
    editions: dict[str, str] = field(default_factory=dict)
    bodies: dict[str, bytes] = field(default_factory=dict)
    files: dict[str, dict[str, bytes]] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def new(self, answers: Answers, files: Mapping[str, bytes]) -> str:
        key = self._name()
        self._send(key, self._written(answers, key), files)
        return key

    def edit(self, key: str, answers: Answers) -> None:
        edition = self._name()
        # A phone sends every file again with an edit.
        self._send(key, self._written(answers, edition, self.editions[key]), self.files[key])
        self.editions[key] = edition

    def attach(self, key: str, name: str, data: bytes) -> None:
        self._send(key, self.bodies[key], {name: data})

    def _name(self) -> str:
        return f"uuid:{uuid.UUID(hashlib.md5(str(next(self.numbers)).encode()).hexdigest())}"

    def _written(self, answers: Answers, edition: str, deprecated: str = "") -> bytes:
        body = write_instance(self.form, answers, edition, deprecated_id=deprecated, root=self.root)
        return body.replace(b"<meta>", self.beside + b"<meta>")

    def _send(self, key: str, body: bytes, files: Mapping[str, bytes]) -> None:
        parts: list[Any] = [("xml_submission_file", ("submission.xml", body, "text/xml"))]
        parts += [(name, (name, data, "image/jpeg")) for name, data in files.items()]
        reply = requests.post(f"{self.url}/submission", files=parts, headers=self.headers, timeout=60)
        assert reply.status_code == 201, reply.text
        self.editions.setdefault(key, key)
        self.bodies[key] = body
        self.files.setdefault(key, {}).update(files)


WORLDS: Final[Mapping[str, Callable[[Path], AbstractContextManager[World]]]] = {
    "kobo": kobo_world,
    "central": central_world,
    "openrosa": openrosa_world,
    "folder": folder_world,
}


def _built(folder: Path) -> BuiltForm:
    write_whole(folder / "visit.md", FORM.encode())
    return build_form(folder / "visit.md")


def _workbook(folder: Path, carried: Form | None = None) -> bytes:
    return xlsx_bytes(remote_copy(folder / "visit.md", {}, carried))


def _ignore(_: object) -> None:
    return None
