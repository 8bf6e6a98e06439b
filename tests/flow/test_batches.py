"""Batch folders: whole or not at all, opened only when every byte is what was written."""

from __future__ import annotations

import errno
import json
import multiprocessing
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from dialogkit.errors import BatchError, ServerUnreachable
from dialogkit.model.server import Page
from dialogkit.model.submission import Attachment
from dialogkit.progress import SILENT
from dialogkit.pull import portions, sync
from dialogkit.pull.batches import batches, content_hash, folder_name, open_batch
from dialogkit.pull.lock import only_one
from dialogkit.pull.portions import How
from dialogkit.pull.refusals import refusals
from dialogkit.pull.writer import new_batch
from tests.builders import bytes_of, lines_of, make_form, received, write_batch

FORM = make_form(
    "visit",
    "1",
    [
        ("text", "name"),
        ("repeat", "child"),
        ("text", "child/name"),
        ("image", "photo"),
        ("text", "source", {"concept": "meta.source_ref"}),
        ("select_one", "final", {"concept": "consent.final_choice"}),
        ("select_one", "adult", {"concept": "consent.adult"}),
    ],
)
AGAIN = "Take the folder out of warehouse/batches and bring its submissions again: dialogkit pull --full"


class Server:
    """Submissions on a server, in pages; real enough for `pull_form`, which asks nothing else of a server."""

    name = "field"

    def __init__(self, *pages: Page, fails: Exception | None = None, turned_away: dict[str, int] | None = None):
        self.all, self.fails, self.turned_away, self.asked = pages, fails, turned_away or {}, []

    def pages(self, form_id, cursor, find_form) -> Iterator[Page]:
        self.asked.append(cursor)
        yield from self.all[int(cursor or 0) :]
        if self.fails:
            raise self.fails

    def attachment(self, form_id, submission, name) -> Iterator[bytes]:
        yield from (b"of ", name.encode())

    def refusals(self, form_id):
        return self.turned_away

    def ids(self, form_id):
        return None


def pull(server, folder, **options):
    return sync.pull_form(server, FORM, lambda version: FORM, folder, SILENT, How(**options))


def page(number, *some):
    return Page(tuple(some), str(number))


def test_a_batch_says_what_it_holds(tmp_path):
    some = [
        {"name": "A", "child": [{"child/name": "B"}]},
        received(FORM, {}, "uuid:2", deleted_at="2026-11-20T10:00:00Z"),
    ]
    batch = write_batch(tmp_path, FORM, some, cursor="7")
    manifest = batch.manifest
    assert manifest.counts == {
        "submissions": 2,
        "refused": 0,
        "deleted": 1,
        "attachments": 0,
        "largest_line": manifest.counts["largest_line"],
    }
    assert (manifest.form_id, manifest.origin, manifest.server, manifest.cursor) == ("visit", "server", "field", "7")
    assert manifest.paths == {"": ["child[]", "name"], "child": ["child/name"]}
    assert batch.forms() == {"1": FORM}
    first, second = lines_of(batch)
    assert first["answers"] == {"name": "A", "child": [{"child/name": "B"}]}
    assert (second["answers"], second["deleted_at"]) == ({}, "2026-11-20T10:00:00Z")


def test_what_was_deleted_on_the_server_is_deleted_and_not_refused_for_want_of_answers(tmp_path):
    gated = make_form("visit", "1", [("calculate", "gate", {"concept": "consent.gate"})])
    (line,) = lines_of(write_batch(tmp_path, gated, [received(gated, {}, deleted_at="2026-11-20T10:00:00Z")]))
    assert (line["deleted_at"], line["refused"]) == ("2026-11-20T10:00:00Z", "")


def test_a_batch_stands_under_its_name_only_when_it_is_whole(tmp_path):
    with pytest.raises(ValueError, match="stop"), new_batch(tmp_path, "visit", "server", "field") as writer:
        writer.add(received(FORM, {"name": "A"}), FORM)
        assert batches(tmp_path, "visit") == []
        raise ValueError("stop")
    assert list((tmp_path / "visit").iterdir()) == []


def test_a_batch_of_nothing_is_not_kept(tmp_path):
    with new_batch(tmp_path, "visit", "server", "field"):
        pass
    assert batches(tmp_path, "visit") == []
    assert list((tmp_path / "visit").iterdir()) == []


def test_batches_are_sorted_by_time_and_other_folders_are_no_batches(tmp_path):
    made = [write_batch(tmp_path, FORM, [{"name": str(n)}]).folder for n in range(3)]
    (tmp_path / "visit" / "notes").mkdir()
    (tmp_path / "visit" / f".partial-1-{made[0].name}").mkdir()
    (tmp_path / "visit" / f"{made[0].name}.old").mkdir()
    assert batches(tmp_path, "visit") == made
    assert batches(tmp_path, "none") == []


# --- damage


@pytest.fixture
def batch(tmp_path):
    return write_batch(
        tmp_path, FORM, [received(FORM, {"name": "Amina"}, files=["a.jpg"])], content={"a.jpg": b"picture"}
    )


def error_of(folder):
    with pytest.raises(BatchError) as caught:
        open_batch(folder)
    return caught.value


def test_batch_001_no_manifest(batch):
    (batch.folder / "manifest.json").unlink()
    assert str(error_of(batch.folder)) == (
        f"error[BATCH-001] {batch.folder.name}\n  The batch has no manifest.json.\n  {AGAIN}"
    )


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "3", "null", '"x"', "{}", b"\xff"],
)
def test_batch_001_a_manifest_that_cannot_be_read(batch, text):
    (batch.folder / "manifest.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    error = error_of(batch.folder)
    assert (error.code, error.problem.message) == ("BATCH-001", "manifest.json cannot be read.")


@pytest.mark.parametrize(
    ("key", "value"),
    [("files", 3), ("files", {"forms/1.json": 3}), ("counts", {}), ("paths", []), ("origin", "import")],
)
def test_batch_001_a_manifest_that_says_something_else(batch, key, value):
    path = batch.folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {key: value}))
    assert str(error_of(batch.folder)) == (
        f"error[BATCH-001] {batch.folder.name}\n  manifest.json is not the one that was written.\n  {AGAIN}"
    )


@pytest.mark.parametrize("name", ["submissions.ndjson.zst", "forms/1.json", "received/submissions.portions"])
def test_batch_002_a_missing_file(batch, name):
    (batch.folder / name).unlink()
    assert str(error_of(batch.folder)) == (
        f"error[BATCH-002] {batch.folder.name}\n  The file {name} is missing.\n  {AGAIN}"
    )


def test_batch_003_every_changed_byte_is_noticed(batch):
    files = [path for path in batch.folder.rglob("*") if path.is_file() and path.name != "manifest.json"]
    assert len(files) == 4
    for path in files:
        good = path.read_bytes()
        for place in {0, len(good) // 2, len(good) - 1}:
            path.write_bytes(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
            assert error_of(batch.folder).code == "BATCH-003"
        path.write_bytes(good)
    assert open_batch(batch.folder) == batch


def test_batch_003_a_file_that_was_cut_or_grew(batch):
    path = batch.submissions
    good = path.read_bytes()
    for changed in (good[:-6], b"", good + b"\0"):
        path.write_bytes(changed)
        assert str(error_of(batch.folder)) == (
            f"error[BATCH-003] {batch.folder.name}\n"
            f"  The file submissions.ndjson.zst is not the one that was written.\n  {AGAIN}"
        )


def test_batch_004_a_file_that_does_not_belong_to_it(batch):
    (batch.folder / "attachments" / "extra").write_bytes(b"")
    assert str(error_of(batch.folder)) == (
        f"error[BATCH-004] {batch.folder.name}\n  The file attachments/extra does not belong to it.\n  {AGAIN}"
    )


def test_batch_004_a_batch_under_another_name(batch):
    other = batch.folder.with_name("20200101T000000000000Z-00000000")
    batch.folder.rename(other)
    assert str(error_of(other)) == (
        f"error[BATCH-004] {other.name}\n  The folder has another name than its batch.\n  {AGAIN}"
    )


def test_batch_005_another_format(batch):
    path = batch.folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 2}))
    assert str(error_of(batch.folder)) == (
        f"error[BATCH-005] {batch.folder.name}\n"
        "  It was written by another version of dialogkit.\n"
        "  Use the newest dialogkit."
    )


# --- refused


@pytest.mark.parametrize("answers", [{"source": "a page"}, {"final": "delete"}, {"adult": "no"}])
def test_nothing_that_a_refused_submission_says_reaches_the_disk(tmp_path, answers):
    words = {"name": "Zebracorn", "photo": "Quokkapic.jpg", "child": [{"child/name": "Xylophant"}]}
    refused = received(FORM, words | answers, "uuid:r", files=["Quokkapic.jpg"])
    kept = received(FORM, {"name": "Kept"}, "uuid:k")
    batch = write_batch(tmp_path, FORM, [refused, kept], content={"Quokkapic.jpg": b"Wombatbytes"})
    assert batch.manifest.counts["refused"] == 1
    found = bytes_of(tmp_path)
    for word in (b"Zebracorn", b"Quokkapic", b"Xylophant", b"Wombatbytes", b"a page"):
        assert word not in found
    assert b"Kept" in found
    line = lines_of(batch)[0]
    assert (line["id"], line["answers"], line["attachments"]) == ("uuid:r", {}, [])
    assert line["refused"]
    assert "child" not in batch.manifest.paths


def test_a_batch_of_refusals_alone_counts_them(tmp_path):
    batch = write_batch(tmp_path, FORM, [{"final": "delete"}])
    assert (batch.manifest.counts["submissions"], batch.manifest.counts["refused"]) == (1, 1)
    assert batch.forms() == {"1": FORM}


def test_a_submission_that_the_server_deleted_brings_no_answer(tmp_path):
    write_batch(tmp_path, FORM, [received(FORM, {"name": "Zebracorn"}, deleted_at="2026-11-20T10:00:00Z")])
    assert b"Zebracorn" not in bytes_of(tmp_path)


# --- attachments and names


@pytest.mark.parametrize(
    "claimed",
    [
        "../../../x.jpg",
        "/etc/passwd",
        "..\\..\\x",
        "..",
        ".",
        "",
        "a/b",
        "nul\x00.jpg",
        "manifest.json",
        "é" * 400,
        "CON",
    ],
)
def test_an_attachment_stays_in_the_folder_of_its_submission(tmp_path, claimed):
    batch = write_batch(tmp_path, FORM, [received(FORM, {"name": "A"}, files=[claimed])], content={claimed: b"data"})
    (attachment,) = lines_of(batch)[0]["attachments"]
    path = batch.attachment("uuid:1", attachment["name"])
    assert path.read_bytes() == b"data"
    assert path.parent == batch.folder / "attachments" / "uuid%3A1"
    assert {file.name for file in tmp_path.iterdir()} == {"visit"}


def test_two_attachments_whose_safe_names_are_equal_are_both_kept(tmp_path):
    content = {"a/x.jpg": b"1", "b/x.jpg": b"2", "X.JPG": b"3", "x": b"4", "..": b"5", ".": b"6"}
    batch = write_batch(tmp_path, FORM, [received(FORM, {}, files=list(content))], content=content)
    names = [file["name"] for file in lines_of(batch)[0]["attachments"]]
    assert len({name.lower() for name in names}) == 6
    assert [batch.attachment("uuid:1", name).read_bytes() for name in names] == list(content.values())


@pytest.mark.parametrize("submission_id", ["..", ".", "../../x", "a/b", "", "uuid:é", "x" * 300, "."])
def test_an_id_from_outside_is_no_path(tmp_path, submission_id):
    batch = write_batch(
        tmp_path, FORM, [received(FORM, {"name": "A"}, submission_id or "x", files=["manifest.json"])],
        content={"manifest.json": b"data"},
    )  # fmt: skip
    path = batch.attachment(submission_id or "x", "manifest.json")
    assert path.read_bytes() == b"data"
    assert path.resolve().parent.parent == batch.folder.resolve() / "attachments"


def test_folder_names_are_one_to_one():
    texts = ["a", "A ", "a/b", "a%2Fb", "..", ".", "", "%", "x" * 151, "x" * 152, "é", ".a", "%2Ea"]
    names = [folder_name(text) for text in texts]
    assert len(set(names)) == len(texts)
    assert not any(name.startswith(".") or "/" in name or len(name) > 160 for name in names)


def test_the_content_of_a_submission_is_not_the_way_it_came():
    one = received(FORM, {"name": "A"}).submission
    assert content_hash(one) == content_hash(replace(one, submitter="x", submitted_at="2027-01-01T00:00:00Z"))
    assert content_hash(one) != content_hash(replace(one, answers={"name": "B"}))
    assert content_hash(one) != content_hash(replace(one, instance_id="uuid:9"))
    assert content_hash(one) != content_hash(replace(one, review_state="approved"))


# --- pulling


def test_a_pull_brings_every_page_and_the_next_one_goes_on(tmp_path):
    server = Server(page(1, received(FORM, {"name": "A"}, "uuid:1")), page(2, received(FORM, {"name": "B"}, "uuid:2")))
    assert (pull(server, tmp_path).submissions, pull(server, tmp_path).submissions) == (2, 0)
    assert server.asked == ["", "2"]
    assert len(batches(tmp_path, "visit")) == 1
    assert pull(server, tmp_path, full=True).submissions == 2
    assert server.asked[-1] == ""


def test_submissions_of_both_origins_go_into_batches_of_their_own(tmp_path):
    some = [received(FORM, {"name": "A"}, "uuid:1"), received(FORM, {"source": "a page"}, "uuid:2", origin="import")]
    pulled = pull(Server(page(1, *some)), tmp_path)
    assert (pulled.submissions, pulled.batches) == (2, 2)
    manifests = [open_batch(path).manifest for path in batches(tmp_path, "visit")]
    assert {(m.origin, m.counts["refused"], m.cursor) for m in manifests} == {("server", 0, "1"), ("import", 0, None)}


def test_only_imports_still_move_the_cursor(tmp_path):
    server = Server(page(1, received(FORM, {"source": "a page"}, "uuid:2", origin="import")))
    assert (pull(server, tmp_path).submissions, pull(server, tmp_path).submissions) == (1, 0)


def test_a_pull_that_breaks_off_keeps_nothing_and_starts_again_there(tmp_path):
    gone = ServerUnreachable("SERVER-001", "field", "Gone.", "Wait.")
    server = Server(page(1, received(FORM, {"name": "A"})), fails=gone)
    with pytest.raises(ServerUnreachable):
        pull(server, tmp_path)
    assert batches(tmp_path, "visit") == []
    server.fails = None
    assert pull(server, tmp_path).submissions == 1


def test_portions_that_were_whole_stay_when_a_later_one_breaks_off(tmp_path, monkeypatch):
    monkeypatch.setattr(portions, "LARGEST", 1)
    server = Server(*(page(n + 1, received(FORM, {"name": "A"}, f"uuid:{n}")) for n in range(3)))
    server.fails = ServerUnreachable("SERVER-001", "field", "Gone.", "Wait.")
    with pytest.raises(ServerUnreachable):
        pull(server, tmp_path)
    assert len(batches(tmp_path, "visit")) == 3
    assert sync.last_cursor(tmp_path, "visit", "field") == "3"
    assert sync.last_cursor(tmp_path, "visit", "other") == ""


def test_what_a_server_turned_away_is_counted_even_when_it_has_nothing_new(tmp_path):
    pull(Server(turned_away={"import through a form server": 2}), tmp_path)
    assert refusals(tmp_path, "visit") == {"field": {"import through a form server": 2}}
    assert batches(tmp_path, "visit") == []


def test_what_a_killed_pull_left_is_swept(tmp_path):
    left = tmp_path / "visit" / ".partial-1-20200101T000000000000Z-00000000"
    left.mkdir(parents=True)
    (left / "half").write_bytes(b"Zebracorn")
    pull(Server(), tmp_path)
    assert not left.exists()


def _hold(folder, entered, leave):
    with only_one(folder, "visit"):
        entered.set()
        leave.wait(20)


def test_batch_006_two_pulls_of_a_form_at_once(tmp_path):
    context = multiprocessing.get_context("spawn")
    entered, leave = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(tmp_path, entered, leave))
    other.start()
    try:
        assert entered.wait(20)
        with pytest.raises(BatchError) as caught:
            pull(Server(page(1, received(FORM, {"name": "A"}))), tmp_path)
        said = str(caught.value)
        assert said.startswith("error[BATCH-006] visit\n  Another pull or import of this form is running in this ")
        assert f"(process {other.pid} on {socket.gethostname()}, since 20" in said
        assert said.endswith("\n  Wait until it has ended, then run the command again.")
    finally:
        leave.set()
        other.join(20)
    assert pull(Server(page(1, received(FORM, {"name": "A"}))), tmp_path).submissions == 1


def test_batch_007_a_full_disk_keeps_no_half_batch(tmp_path):
    def full(file: Attachment, target: Path) -> Attachment:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(BatchError) as caught, new_batch(tmp_path, "visit", "server", "field") as writer:
        writer.add(received(FORM, {"name": "A"}, files=["a.jpg"]), FORM, full)
    assert str(caught.value) == (
        "error[BATCH-007] visit\n"
        "  The disk is full; nothing of this batch was kept.\n"
        "  Free some space, then run the command again: it goes on where it stopped."
    )
    assert list((tmp_path / "visit").iterdir()) == []
