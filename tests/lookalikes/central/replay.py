"""Replays the recorded session against the look-alike, and tells where an answer differs."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Final

import requests

from . import Place, lookalike
from .compare import differences
from .people import ROLE_IDS
from .records import Actor
from .sealing import seal

RECORDINGS: Final = Path(__file__).parents[2] / "recordings" / "central"
_PASSPHRASE: Final = "a passphrase for trials"
_SUFFIX: Final = re.compile(rb"7\[encrypted:[^\]]+\]")
#: The record that the encrypted recordings hold, as their decrypted CSV shows it.
_SECRET: Final = (
    '<data id="enc_form" version="{version}"><story>A very private story — é</story><n>42</n><photo>p.png</photo>'
    "<who><person>Awa</person></who><who><person>Ben</person></who><meta><instanceID>{id}</instanceID></meta></data>"
)
_PIXEL: Final = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def recordings() -> dict[str, dict[str, Any]]:
    """Every recorded exchange by name, in the order it was made."""
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(RECORDINGS.glob("*.json"))}


@contextmanager
def replaying() -> Iterator[Replay]:
    """A replay against a look-alike that is as empty as the real server was."""
    with lookalike() as place:
        store = place.state.store
        store.projects.clear()
        store.numbers.clear()
        yield Replay(place)


class Replay:
    """The session so far: what stands for the secrets, ids and tags of the recordings."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._store = place.state.store
        self._now = datetime(2026, 11, 20, tzinfo=UTC)
        self._store.clock = self._tick
        self._tags: dict[str, str] = {}
        self._ids: dict[str, str] = {}
        self._session = requests.Session()
        self._session.trust_env = False
        self._actor: Actor = self._store.admin
        self._token = self._store.people.start_session(self._store.admin, self._store.now(), self._store.later(24))
        self._key = ""
        self._test_key = ""
        self._before: dict[str, Callable[[], None]] = {
            "008": self._be_nobody,
            "009": lambda: self._be(self._store.admin),
            "060": self._first_phone,
            "069": lambda: self._with_key("x" * 64),
            "071": lambda: self._with_key(self._phone.token),
            "090": self._learn_invented,
            "162": lambda: self._learn_tag(
                "/v1/projects/1/forms/local_dialogue.svc/Submissions?$expand=*",
                'W/"eventhash:b8c1ff05efa333a55220540dbffa474c"',
            ),
            "220": self._nameless,
            "228": self._test_phone,
            "234": self._viewer,
            "235": lambda: self._be(self._person),
            "250": lambda: self._be(self._store.admin),
            "258": lambda: self._be(self._store.admin),
            "300": lambda: self._number("project", 2),
            "331": lambda: self._be(self._store.admin),
            "400": lambda: self._number("project", 7),
            "417": lambda: self._number("form", 9),
            "426": self._manager,
            "430": lambda: self._be(self._person),
            "437": lambda: self._with_key(self._newest_phone().token),
            "500": lambda: self._be(self._store.admin),
            "503": lambda: self._with_key(self._phone.token),
            "510": lambda: self._learn_tag(
                "/v1/projects/1/forms/local_dialogue/submissions.csv.zip",
                'W/"eventhash:86856d7c5cc36b277993477dbee9aaf6"',
            ),
        }

    def play(self, recording: dict[str, Any]) -> list[str]:
        """Send what was sent, and list how the answer differs from what was answered."""
        name, asked, answered = recording["name"], recording["request"], recording["response"]
        self._now = max(self._now, parsedate_to_datetime(answered["headers"]["Date"]))
        self._before.pop(name[:3], lambda: None)()
        reply = self._send(name, asked)
        if "ETag" in answered["headers"]:
            self._tags[answered["headers"]["ETag"]] = reply.headers.get("ETag", "")
        return list(differences(answered, reply, self._ids))

    def _send(self, name: str, asked: dict[str, Any]) -> requests.Response:
        query = (asked.get("raw_query") or "").replace("REDACTED", _PASSPHRASE.replace(" ", "+"))
        path = self._path(asked["path"])
        headers = {key: value for key, value in asked["headers"].items() if key not in {"Content-Length", "Connection"}}
        if "Authorization" in headers:
            headers["Authorization"] = self._authorization(name, headers["Authorization"])
        if "If-None-Match" in headers:
            headers["If-None-Match"] = self._tags[headers["If-None-Match"]]
        body = self._body(name, asked)
        url = f"{self._place.url}{path}" + (f"?{self._own(query)}" if query else "")
        self._session.cookies.clear()
        return self._session.request(
            asked["method"], url, headers=headers, data=body, allow_redirects=False, timeout=20
        )

    def _path(self, path: str) -> str:
        path = path.replace("/test/REDACTED", f"/test/{self._test_key}")
        return self._own(path.replace("REDACTED", self._key))

    def _own(self, text: str) -> str:
        for theirs, ours in self._ids.items():
            text = text.replace(theirs, ours)
        return text

    def _authorization(self, name: str, recorded: str) -> str:
        if recorded.startswith("Bearer"):
            return f"Bearer {self._token}"
        password = "wrong" if "wrong" in name else self._place.password
        return "Basic " + base64.b64encode(f"{self._place.email}:{password}".encode()).decode()

    def _body(self, name: str, asked: dict[str, Any]) -> bytes:
        if "body_omitted_bytes" in asked:
            return b'{"displayName":"' + b"x" * int(asked["body_omitted_bytes"]) + b'"}'
        body: bytes = base64.b64decode(asked.get("body_base64", "")) or (asked.get("body") or "").encode()
        if name[:3] in {"340", "341"}:
            return self._sealed(body, whole=name.startswith("340"))
        if name[:3] == "342":
            return _SUFFIX.sub(self._encrypted_version().encode(), body)
        secret = self._place.password if "/sessions" in asked["path"] else _PASSPHRASE
        if asked["headers"].get("Content-Type") == "application/x-www-form-urlencoded":
            secret = secret.replace(" ", "+")
        return body.replace(b"REDACTED", secret.encode())

    def _sealed(self, body: bytes, *, whole: bool) -> bytes:
        """The recorded body, but sealed for the look-alike's key: nobody has the real one's."""
        boundary = body.partition(b"\r\n")[0]
        instance = re.search(rb"<instanceID>([^<]+)", body)
        assert instance is not None
        definition = self._store.projects[4].forms["enc_form"].shown.definition
        instance_id = instance.group(1).decode()
        plain = _SECRET.format(version=definition.version, id=instance_id).encode()
        made = seal(definition.public_key, "enc_form", definition.version, instance_id, plain, {"p.png": _PIXEL})
        parts = [("xml_submission_file", made.xml), *made.files.items()]
        kept = parts if whole else parts[:-1]
        pieces = [
            boundary
            + f'\r\nContent-Disposition: form-data; name="{name}"; filename="{name}"\r\n\r\n'.encode()
            + content
            for name, content in kept
        ]
        return b"\r\n".join([*pieces, boundary + b"--\r\n"])

    def _encrypted_version(self) -> str:
        return self._store.projects[4].forms["enc_form"].shown.definition.version

    def _tick(self) -> datetime:
        self._now += timedelta(milliseconds=1)
        return self._now

    # What happened on the real server between the recordings.

    def _be(self, actor: Actor) -> None:
        self._token = self._store.people.start_session(actor, self._store.now(), self._store.later(24))

    def _be_nobody(self) -> None:
        self._token = "n" * 64

    def _with_key(self, key: str) -> None:
        self._key = key

    def _number(self, kind: str, last: int) -> None:
        self._store.numbers[kind] = last
        self._be(self._store.admin)

    def _first_phone(self) -> None:
        self._store.people.next_id = 8
        self._place.state.project = self._store.projects[1]
        self._phone = self._place.state.app_user("Phone 01 Nairobi")
        self._key = self._phone.token

    def _learn_invented(self) -> None:
        """089 named no instanceID, and the server made one up."""
        newest = next(self._store.projects[1].forms["local_dialogue"].table.newest_first())
        self._ids["74848cab-4adf-4e05-8127-56835f5977e3"] = newest.id

    def _learn_tag(self, path: str, theirs: str) -> None:
        reply = self._session.get(
            f"{self._place.url}{path}", headers={"Authorization": f"Bearer {self._token}"}, timeout=20
        )
        self._tags[theirs] = reply.headers["ETag"]

    def _nameless(self) -> None:
        """Another phone's submission without an id came in, which only later listings show."""
        sent = base64.b64decode(recordings()["221-submission-to-closing-form"]["request"]["body_base64"])
        found = re.search(rb"<\?xml.*</data>", sent, re.DOTALL)
        assert found is not None
        xml = re.sub(rb"<instanceID>.*?</instanceID>", b"", found.group())
        made = self._place.state.new("local_dialogue", xml, submitter=self._phone)
        self._ids["51fbbd5a-475d-457f-930a-2cad506c6f9f"] = made

    def _test_phone(self) -> None:
        draft = self._store.projects[1].forms["local_dialogue"].draft
        assert draft is not None and draft.draft_token is not None
        self._test_key = draft.draft_token

    def _viewer(self) -> None:
        self._store.people.next_id = 13
        email = "viewer@example.org"
        self._person = self._store.people.add("user", email, self._store.now(), email=email, password="long enough")

    def _manager(self) -> None:
        self._store.people.next_id = 31
        # 31 is the public link that 426 makes; the manager comes after it.
        self._before["430"] = self._manager_comes

    def _manager_comes(self) -> None:
        email = "manager@example.org"
        people = self._store.people
        self._person = people.add("user", email, self._store.now(), email=email, password="long enough")
        people.grant(self._person, ROLE_IDS["manager"], ("project", 8))
        self._be(self._person)

    def _newest_phone(self) -> Actor:
        phones = [each for each in self._store.people.actors.values() if each.type == "field_key"]
        return max(phones, key=lambda each: each.id)
