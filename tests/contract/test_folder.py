"""A folder is mirrored like a server: whatever shape the data has, it tells the same."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dialogkit.errors import NotOnServer, UnexpectedReply
from dialogkit.files import write_whole
from dialogkit.instance import write_instance
from dialogkit.model.server import Entry, ListingServer
from dialogkit.pull.decrypt import Opener, unseal
from dialogkit.servers.folder import FolderServer
from tests.builders_encrypt import private_key, seal
from tests.builders_folder import (
    ANSWERS,
    FORM,
    ID,
    PICTURE,
    bare,
    central_files,
    entries,
    fetch_all,
    kobo_row,
    put_central,
    put_instance,
    put_kobo,
    put_unpacked,
    put_workbook,
)

Put = Callable[[Path], Any]
SHAPES: dict[str, Put] = {
    "briefcase": put_instance,
    "kobo list": put_kobo,
    "kobo page": lambda root: put_kobo(root, shape="page"),
    "kobo lines": lambda root: put_kobo(root, shape="lines", name="data.ndjson"),
    "kobo lines in .json": lambda root: put_kobo(root, shape="lines"),
    "workbook": put_workbook,
    "workbook with groups": lambda root: put_workbook(root, groups=True),
    "central": put_central,
    "central without groups": lambda root: put_central(root, central_files(group_paths=False)),
    "central split": lambda root: put_central(root, central_files(split=True)),
    "central unpacked": put_unpacked,
}
every = pytest.mark.parametrize("put", SHAPES.values(), ids=SHAPES.keys())


@every
def test_every_shape_gives_the_same_submission(tmp_path: Path, put: Put) -> None:
    put(tmp_path)
    server, fetched = fetch_all(tmp_path)
    assert fetched.unreadable == ()
    (received,) = fetched.received
    submission = received.submission
    assert submission.answers == ANSWERS
    assert (submission.id, submission.instance_id, submission.form_id, submission.form_version) == (
        ID,
        ID,
        "visit",
        "3",
    )
    assert submission.submitted_at.startswith("2026-11-20T10:00:00")
    assert submission.submitted_at.endswith("Z")
    assert [file.name for file in submission.attachments] == ["p.png"]
    assert b"".join(server.attachment("visit", submission, "p.png")) == PICTURE
    assert received.body
    assert isinstance(server, ListingServer)


@every
def test_looking_twice_gives_the_same_signature_also_for_a_copy(tmp_path: Path, put: Put) -> None:
    put(tmp_path)
    first = entries(FolderServer("old", tmp_path))
    assert first == entries(FolderServer("old", tmp_path))
    assert [entry.id for entry in first] == [ID]


@every
def test_a_picture_that_changes_changes_the_signature(tmp_path: Path, put: Put) -> None:
    put(tmp_path)
    before = entries(FolderServer("old", tmp_path))
    (file,) = [path for path in tmp_path.rglob("*") if path.name == "p.png" or path.suffix == ".zip"]
    os.utime(file, (1, 1))
    assert entries(FolderServer("old", tmp_path)) != before


@every
def test_a_form_that_is_not_there_is_told_and_deletes_nothing(tmp_path: Path, put: Put) -> None:
    put(tmp_path)
    with pytest.raises(NotOnServer) as missing:
        FolderServer("old", tmp_path).listing("other_form", "")
    assert missing.value.code == "SERVER-105"


def test_what_has_gone_from_the_folder_is_no_longer_listed(tmp_path: Path) -> None:
    put_instance(tmp_path)
    gone = put_instance(tmp_path, {"name": "B"}, "uuid:2")
    assert {entry.id for entry in entries(FolderServer("old", tmp_path))} == {ID, "uuid:2"}
    for file in gone.iterdir():
        file.unlink()
    server = FolderServer("old", tmp_path)
    assert [entry.id for entry in entries(server)] == [ID]
    assert server.fetch("visit", [Entry("uuid:2", "x")], lambda _: FORM, 1).received == ()


def test_an_answer_that_changes_changes_the_signature(tmp_path: Path) -> None:
    put_kobo(tmp_path)
    before = entries(FolderServer("old", tmp_path))
    put_kobo(tmp_path, [kobo_row({**ANSWERS, "name": "X"})])
    assert entries(FolderServer("old", tmp_path)) != before


def test_an_edit_keeps_the_id_of_the_first_edition(tmp_path: Path) -> None:
    put_instance(tmp_path, {"name": "third"}, "uuid:c", deprecated_id="uuid:b")
    put_instance(tmp_path, {"name": "second"}, "uuid:b", deprecated_id="uuid:a")
    put_instance(tmp_path, {"name": "first"}, "uuid:a")
    _, fetched = fetch_all(tmp_path)
    (received,) = fetched.received
    assert (received.submission.id, received.submission.instance_id) == ("uuid:a", "uuid:c")
    assert (received.submission.answers, received.submission.edited) == ({"name": "third"}, True)


def test_editions_that_replace_each_other_end(tmp_path: Path) -> None:
    put_instance(tmp_path, {"name": "1"}, "uuid:a", deprecated_id="uuid:b")
    put_instance(tmp_path, {"name": "2"}, "uuid:b", deprecated_id="uuid:a")
    put_instance(tmp_path, {"name": "3"}, "uuid:c", deprecated_id="uuid:c")
    put_instance(tmp_path)
    assert ID in {entry.id for entry in entries(FolderServer("old", tmp_path))}


def test_the_newest_of_two_exports_of_one_submission_counts(tmp_path: Path) -> None:
    old = put_kobo(tmp_path, [kobo_row(), kobo_row({"name": "B"}, "uuid:2")], name="b.json")
    os.utime(old, (1, 1))
    put_kobo(tmp_path, [kobo_row({**ANSWERS, "name": "newer"})], name="a.json")
    _, fetched = fetch_all(tmp_path)
    names = {one.submission.id: one.submission.answers["name"] for one in fetched.received}
    assert names == {ID: "newer", "uuid:2": "B"}


def test_several_forms_lie_in_one_folder(tmp_path: Path) -> None:
    put_instance(tmp_path)
    folder = put_instance(tmp_path, {"name": "of another form"}, "uuid:2")
    xml = (folder / "submission.xml").read_text(encoding="utf-8")
    (folder / "submission.xml").write_text(xml.replace('id="visit"', 'id="other"'), encoding="utf-8")
    assert [entry.id for entry in entries(FolderServer("old", tmp_path))] == [ID]
    assert [entry.id for entry in entries(FolderServer("old", tmp_path), "other")] == ["uuid:2"]


def test_many_submissions_come_by_pages(tmp_path: Path) -> None:
    put_kobo(tmp_path, [kobo_row({"name": str(n)}, f"uuid:{n}") for n in range(2500)])
    listing = FolderServer("old", tmp_path).listing("visit", "")
    assert [len(page) for page in listing.pages] == [1000, 1000, 500]


def test_encrypted_instances_are_opened_like_those_of_a_server(tmp_path: Path) -> None:
    sealed = seal(write_instance(FORM, ANSWERS, ID), {"p.png": PICTURE})
    folder = tmp_path / "instances" / f"uuid{bare(ID)}"
    folder.mkdir(parents=True)
    (folder / "submission.xml").write_bytes(sealed.xml)
    for name, data in sealed.files.items():
        (folder / name).write_bytes(data)
    server, fetched = fetch_all(tmp_path)
    (received,) = fetched.received
    batch = tmp_path / "batch"
    batch.mkdir()
    for file in received.submission.attachments:
        (batch / file.name).write_bytes(b"".join(server.attachment("visit", received.submission, file.name)))
    opened = unseal(received.submission, FORM, batch, Opener([private_key()]), received.body)
    assert (opened.answers, opened.sealed) == (ANSWERS, "")
    assert (batch / "p.png").read_bytes() == PICTURE


def test_an_export_in_the_folder_of_another_form_of_the_workspace_is_left_to_that_form(tmp_path):
    key = "uuid:0c7b3c1e-5d1a-4a51-9f0b-2f2d3c1f6a01"
    write_whole(tmp_path / "one" / "submission.xml", write_instance(FORM, {}, key))
    row = {"_id": 1, "_uuid": "a", "meta/rootUuid": "uuid:a", "_submission_time": "2026-11-20T10:00:00", "depth": "3"}
    write_whole(tmp_path / "wells" / "data.json", json.dumps([row]).encode())
    both = FolderServer("old", tmp_path, [FORM.form_id, "wells"])
    assert [entry.id for page in both.listing(FORM.form_id, "").pages for entry in page] == [key]
    assert [entry.id for page in both.listing("wells", "").pages for entry in page] == ["uuid:a"]
    with pytest.raises(UnexpectedReply) as raised:
        FolderServer("old", tmp_path, [FORM.form_id]).listing(FORM.form_id, "")
    assert raised.value.code == "SERVER-103"
