"""What the recordings do not show of the look-alike of ODK Central: paging under change, deleted rows, sealing."""

from __future__ import annotations

import base64
import hashlib
import io
import re
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES

from tests.lookalikes.central import Place, lookalike
from tests.lookalikes.central.__main__ import FORM, made_up
from tests.lookalikes.central.sealing import CFB

PASSPHRASE = "a passphrase for trials"


@pytest.fixture
def place() -> Iterator[Place]:
    with lookalike() as running:
        yield running


@pytest.fixture
def talk(place: Place) -> Place:
    """With the form `talk` and ten submissions, `uuid:0` the oldest."""
    place.state.publish(FORM.encode(), content_type="application/xml")
    for number in range(10):
        place.state.new("talk", made_up(number), instance_id=f"uuid:{number}")
    return place


def get(place: Place, path: str, **query: str) -> requests.Response:
    given = {"email": place.email, "password": place.password}
    token = requests.post(f"{place.url}/v1/sessions", json=given, timeout=20).json()["token"]
    url = path if path.startswith("http") else f"{place.url}/v1/projects/{place.project_id}/forms/talk{path}"
    return requests.get(url, query, headers={"Authorization": f"Bearer {token}"}, timeout=20)


def ids(reply: requests.Response) -> list[str]:
    return [row["__id"] for row in reply.json()["value"]]


def test_deleted_rows_are_left_out_unless_a_filter_speaks_of_them(talk: Place) -> None:
    talk.state.delete("uuid:4")
    old = "__system/submissionDate ge 2020-01-01T00:00:00.000Z"
    assert "uuid:4" not in ids(get(talk, ".svc/Submissions"))
    assert "uuid:4" not in ids(get(talk, ".svc/Submissions", **{"$filter": old}))
    assert ids(get(talk, ".svc/Submissions", **{"$filter": "__id eq 'uuid:4' or __id eq 'uuid:5'"})) == ["uuid:5"]
    either = f"{old} or __system/deletedAt ge 2020-01-01T00:00:00.000Z"
    assert len(ids(get(talk, ".svc/Submissions", **{"$filter": either}))) == 10


def test_pages_by_cursor_stay_whole_while_rows_come_and_go(talk: Place) -> None:
    page = get(talk, ".svc/Submissions", **{"$top": "3", "$select": "__id"})
    seen = ids(page)
    while link := page.json().get("@odata.nextLink"):
        talk.state.new("talk", made_up(99))
        talk.state.delete(seen[-1])
        page = get(talk, link)
        seen += ids(page)
    assert seen == [f"uuid:{number}" for number in range(9, -1, -1)]


def test_what_a_test_changes_shows_in_everything(talk: Place) -> None:
    state = talk.state
    edition = state.edit("uuid:3", {"said": "something else"})
    state.review("uuid:2", "approved")
    state.delete("uuid:1")
    state.delete("uuid:0")
    state.restore("uuid:0")
    state.purge("uuid:1")
    every = state.everything("talk")
    assert sorted(every) == sorted(f"uuid:{number}" for number in (0, *range(2, 10)))
    assert every["uuid:3"]["versions"] == ["uuid:3", edition]
    assert every["uuid:2"]["review_state"] == "approved"
    assert state.everything("talk", deleted=True) == {}


def test_texts_of_hand_made_xml_come_as_the_real_server_reads_them(place: Place) -> None:
    """Seen with `pytest -m live`'s server: text comes in pieces, of a point the last one stays."""
    place.state.publish(FORM.encode(), content_type="application/xml")
    body = "<said>a\rb<x>c</x>d<!-- e -->f</said><place><at>1.5&#32;2 3 4</at></place>"
    xml = f'<data id="talk" version="1">{body}<meta><instanceID>uuid:odd</instanceID></meta></data>'
    place.state.new("talk", xml.encode())
    with zipfile.ZipFile(io.BytesIO(get(place, "/submissions.csv.zip").content)) as archive:
        line = archive.read("talk.csv").decode().split("\n")[1]
    assert line.split(",")[1:6] == ["a\rbdf", "", "2", "3", "4"]


def sealed(place: Place) -> tuple[Any, Any]:
    """A sealed submission with two files, and the key of the project."""
    key = place.state.encrypt(PASSPHRASE)
    place.state.publish(FORM.encode(), content_type="application/xml")
    media = {"a.jpg": b"first", "b.jpg": b"second" * 100}
    return place.state.seal("talk", made_up(1), media, instance_id="uuid:secret"), key


def test_files_are_sealed_as_the_specification_says(place: Place) -> None:
    made, key = sealed(place)
    found = re.search(rb"<base64EncryptedKey>([^<]+)", made.xml)
    assert found is not None
    oaep = OAEP(mgf=MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=None)
    secret = key.private.decrypt(base64.b64decode(found.group(1)), oaep)
    seed = hashlib.md5(b"uuid:secret" + secret).digest()
    # The first file adds one to byte 0, the second also to byte 1, the third also to byte 2.
    ivs = [bytes((sign + (place <= last)) % 256 for place, sign in enumerate(seed)) for last in range(3)]
    clear = [
        Cipher(AES(secret), CFB(iv)).decryptor().update(content)
        for iv, content in zip(ivs, made.files.values(), strict=True)
    ]
    assert [content[: -content[-1]] for content in clear[:2]] == [b"first", b"second" * 100]
    assert clear[2].startswith(b"<data ")
    assert list(made.files) == ["a.jpg.enc", "b.jpg.enc", "submission.xml.enc"]


def test_the_right_passphrase_opens_rows_and_files(place: Place) -> None:
    made, key = sealed(place)
    place.state.new("talk", made.xml, made.files)
    reply = get(place, "/submissions.csv.zip", **{str(key.id): PASSPHRASE})
    with zipfile.ZipFile(io.BytesIO(reply.content)) as archive:
        assert "What number 1 said" in archive.read("talk.csv").decode()
        assert archive.read("media/b.jpg") == b"second" * 100
    closed = get(place, ".svc/Submissions").json()["value"]
    assert [list(row) for row in closed] == [["__id", "__system"]]
