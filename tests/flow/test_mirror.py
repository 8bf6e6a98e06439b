"""A pull from a server that lists: what is here equals what is there, whatever happened in between."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest

from dialogkit.errors import NotOnServer, ServerUnreachable, UnexpectedReply
from dialogkit.model.server import Entry, Fetched, Listing, Received
from dialogkit.model.submission import Attachment, Submission
from dialogkit.progress import SILENT
from dialogkit.pull import portions, sync
from dialogkit.pull.batches import batches, open_batch
from dialogkit.pull.certificates import Certificate, certificates, last_certificate, nearly_forgotten, write_certificate
from dialogkit.pull.portions import How
from tests.builders import make_form

FORM = make_form(
    "visit", "1", [("text", "name"), ("image", "photo"), ("text", "source", {"concept": "meta.source_ref"})]
)
GONE = ServerUnreachable("SERVER-001", "there", "Gone.", "Wait.")


@dataclass
class Row:
    """A submission on the server."""

    text: str
    edition: int = 0
    review: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)


class There:
    """A server in memory that can be listed. Small pages and groups, so that there are many of them."""

    name, group, retention_days = "there", 3, 30

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self.unreadable: set[str] = set()
        self.downloads: list[tuple[str, str]] = []
        self.fetches: list[list[str]] = []
        self.cursors: list[str] = []
        self.fail_after = -1

    def listing(self, form_id: str, cursor: str) -> Listing:
        self.cursors.append(cursor)
        entries = [Entry(key, self._signature(row)) for key, row in self.rows.items()]
        pages = iter([entries[first : first + 4] for first in range(0, len(entries), 4)])
        return Listing(pages, cursor=str(len(self.cursors)))

    def fetch(self, form_id: str, wanted: Sequence[Entry], find_form, total: int) -> Fetched:
        assert len(wanted) <= total
        if self.fail_after == len(self.fetches):
            raise GONE
        self.fetches.append([entry.id for entry in wanted])
        here = [entry for entry in wanted if entry.id in self.rows]
        bad = tuple(entry.id for entry in here if entry.id in self.unreadable)
        return Fetched(tuple(self._received(one) for one in here if one.id not in bad), bad)

    def present(self, form_id: str, ids: Sequence[str]) -> set[str]:
        return {one for one in ids if one in self.rows}

    def attachment(self, form_id: str, submission: Submission, name: str) -> Iterator[bytes]:
        row = self.rows[submission.id]
        if name in row.lost:
            raise NotOnServer("SERVER-004", "there", "No such file.", "Wait.")
        self.downloads.append((submission.id, name))
        yield row.files[name]

    def _received(self, entry: Entry) -> Received:
        row = self.rows[entry.id]
        files = tuple(Attachment(name, mark=hashlib.md5(data).hexdigest()) for name, data in row.files.items())
        submission = Submission(
            id=entry.id,
            instance_id=f"{entry.id}-{row.edition}",
            form_id="visit",
            form_version="1",
            submitted_at="2026-11-20T10:00:00Z",
            review_state=row.review,
            edited=bool(row.edition),
            answers={"name": row.text},
            attachments=files,
            signature=entry.signature,
        )
        return Received(submission, row.text.encode())

    @staticmethod
    def _signature(row: Row) -> str:
        return f"{row.edition}|{row.review}|{sorted(row.files)}"


def pull(server: There, folder, **how):
    return sync.pull_form(server, FORM, lambda version: FORM, folder, SILENT, How(**how))


def mirrored(folder) -> dict[str, dict]:
    """The newest line of each submission that is not deleted, from the batches alone."""
    found: dict[str, dict] = {}
    for path in batches(folder, "visit"):
        for line in open_batch(path).lines():
            found[line["id"]] = line | {"batch": path}
    return {key: line for key, line in found.items() if not line["deleted_at"]}


def assert_equal(server: There, folder) -> None:
    here = mirrored(folder)
    assert {key: (line["answers"]["name"], line["review_state"]) for key, line in here.items()} == {
        key: (row.text, row.review) for key, row in server.rows.items()
    }
    for key, row in server.rows.items():
        batch = open_batch(here[key]["batch"])
        assert {
            file["name"]: batch.attachment(key, file["name"]).read_bytes() for file in here[key]["attachments"]
        } == (row.files)


@pytest.mark.parametrize("seed", range(3))
def test_after_any_changes_the_mirror_equals_the_server(tmp_path, seed):
    chance, server, deleted = random.Random(seed), There(), {}
    for step in range(150):
        keys, kind = list(server.rows), chance.choice(["new", "new", "edit", "review", "delete", "restore", "attach"])
        if kind == "new" or not keys:
            server.rows[f"uuid:{step}"] = Row(f"text {step}", files={"a.jpg": b"%d" % (step % 3)} if step % 2 else {})
        elif kind == "restore" and deleted:
            key, row = deleted.popitem()
            server.rows[key] = row
        elif kind == "delete":
            key = chance.choice(keys)
            deleted[key] = server.rows.pop(key)
        else:
            row = server.rows[chance.choice(keys)]
            if kind == "edit":
                row.text, row.edition = f"edited {step}", row.edition + 1
            elif kind == "review":
                row.review = chance.choice(["approved", "rejected", ""])
            else:
                row.files[f"{step}.png"] = b"late"
        if chance.random() < 0.2:
            done = pull(server, tmp_path)
            assert done.certificate.equal
            assert_equal(server, tmp_path)
    assert pull(server, tmp_path).certificate.equal
    assert_equal(server, tmp_path)


def test_a_pull_that_finds_nothing_new_fetches_and_writes_nothing(tmp_path):
    server = There()
    server.rows = {f"uuid:{n}": Row("x") for n in range(10)}
    assert pull(server, tmp_path).submissions == 10
    before = len(server.fetches)
    done = pull(server, tmp_path)
    assert (done.submissions, done.batches, len(server.fetches)) == (0, 0, before)
    assert (done.certificate.server_count, done.certificate.local_count, done.certificate.equal) == (10, 10, True)


def test_a_full_pull_fetches_all_and_writes_what_differs(tmp_path):
    server = There()
    server.rows = {f"uuid:{n}": Row("x") for n in range(4)}
    pull(server, tmp_path)
    server.rows["uuid:2"].text = "changed behind the signature"
    assert pull(server, tmp_path).submissions == 0
    assert pull(server, tmp_path, full=True).submissions == 1
    assert server.cursors == ["", "1", ""]
    assert_equal(server, tmp_path)


def test_what_was_whole_stays_when_the_server_goes_away_and_is_not_fetched_again(tmp_path, monkeypatch):
    monkeypatch.setattr(portions, "LARGEST", 3)
    server = There()
    server.rows = {f"uuid:{n}": Row("x", files={"a": b"%d" % n}) for n in range(9)}
    server.fail_after = 2
    with pytest.raises(ServerUnreachable):
        pull(server, tmp_path)
    assert (len(mirrored(tmp_path)), certificates(tmp_path, "visit")) == (6, [])
    server.fail_after = -1
    assert pull(server, tmp_path).submissions == 3
    assert server.cursors == ["", ""]
    assert len(server.downloads) == len(set(server.downloads)) == 9
    assert_equal(server, tmp_path)


def test_attachments_that_came_before_a_stop_are_not_fetched_again(tmp_path):
    server = There()
    server.rows = {f"uuid:{n}": Row("x", files={"a": b"%d" % n, "b": b"b%d" % n}) for n in range(3)}
    real = server.attachment

    def cut(form_id, submission, name):
        if (submission.id, name) == ("uuid:2", "b"):
            raise GONE
        return real(form_id, submission, name)

    server.attachment = cut
    with pytest.raises(ServerUnreachable):
        pull(server, tmp_path)
    assert batches(tmp_path, "visit") == []
    server.attachment = real
    pull(server, tmp_path)
    assert len(server.downloads) == len(set(server.downloads)) == 6
    assert_equal(server, tmp_path)
    assert not (tmp_path / "visit" / ".files").exists()


def test_a_deletion_that_waits_does_not_cost_the_attachments_that_came_before_a_stop(tmp_path):
    server = There()
    server.rows = {"uuid:old": Row("x")}
    pull(server, tmp_path)
    server.rows |= {"uuid:1": Row("y", files={"a": b"1"}), "uuid:2": Row("z", files={"b": b"2"})}
    real = server.attachment

    def cut(form_id, submission, name):
        if name == "b":
            raise GONE
        return real(form_id, submission, name)

    server.attachment = cut
    with pytest.raises(ServerUnreachable):
        pull(server, tmp_path)
    del server.rows["uuid:old"]
    server.attachment = real
    pull(server, tmp_path)
    assert len(server.downloads) == len(set(server.downloads)) == 2
    assert_equal(server, tmp_path)


def test_a_review_does_not_fetch_the_files_again_and_the_same_bytes_lie_on_the_disk_once(tmp_path):
    server = There()
    server.rows = {"uuid:1": Row("x", files={"a": b"same"}), "uuid:2": Row("y", files={"b": b"same"})}
    pull(server, tmp_path)
    server.rows["uuid:1"].review = "approved"
    pull(server, tmp_path)
    assert sorted(server.downloads) == [("uuid:1", "a"), ("uuid:2", "b")]
    assert_equal(server, tmp_path)
    first, second = (open_batch(path) for path in batches(tmp_path, "visit"))
    assert first.attachment("uuid:1", "a").samefile(second.attachment("uuid:1", "a"))


def test_files_that_the_server_lists_and_does_not_have_are_asked_for_again(tmp_path):
    server = There()
    server.rows = {"uuid:1": Row("x", files={"a": b"one", "b": b"two"}, lost={"b"})}
    done = pull(server, tmp_path)
    assert (done.certificate.files_missing, done.certificate.equal) == (1, True)
    assert pull(server, tmp_path).submissions == 0
    server.rows["uuid:1"].lost = set()
    assert (pull(server, tmp_path).certificate.files_missing, server.downloads[-1]) == (0, ("uuid:1", "b"))
    assert_equal(server, tmp_path)


def test_attachments_may_be_left_for_later(tmp_path):
    server = There()
    server.rows = {"uuid:1": Row("x", files={"a": b"one"})}
    assert pull(server, tmp_path, files=False).certificate.files_missing == 1
    assert server.downloads == []
    assert pull(server, tmp_path, files=False).submissions == 0
    assert pull(server, tmp_path).submissions == 1
    assert_equal(server, tmp_path)


def test_server_031_what_cannot_be_read_is_told_and_all_others_are_here(tmp_path):
    server = There()
    server.rows = {f"uuid:{n}": Row("x") for n in range(5)}
    server.unreadable = {"uuid:3"}
    for _ in range(2):
        with pytest.raises(UnexpectedReply) as raised:
            pull(server, tmp_path)
        assert (raised.value.code, "uuid:3" in raised.value.message) == ("SERVER-031", True)
    assert set(mirrored(tmp_path)) == {"uuid:0", "uuid:1", "uuid:2", "uuid:4"}
    last = last_certificate(tmp_path, "visit", "there")
    assert (last.only_there, last.unreadable, last.cursor, last.equal) == (["uuid:3"], ["uuid:3"], "", False)
    server.unreadable = set()
    assert pull(server, tmp_path).certificate.equal


def test_server_032_an_id_that_is_listed_twice_moves_nothing(tmp_path):
    server = There()
    server.rows = {"uuid:1": Row("x")}
    pull(server, tmp_path)
    entry = Entry("uuid:2", "s")
    server.listing = lambda form_id, cursor: Listing(iter([[entry], [entry]]))
    with pytest.raises(UnexpectedReply) as raised:
        pull(server, tmp_path)
    assert raised.value.code == "SERVER-032"
    assert list(mirrored(tmp_path)) == ["uuid:1"]


def test_a_listing_that_breaks_off_deletes_nothing(tmp_path):
    server = There()
    server.rows = {f"uuid:{n}": Row("x") for n in range(9)}
    pull(server, tmp_path)

    def broken() -> Iterator[Sequence[Entry]]:
        yield [Entry("uuid:1", "")]
        raise GONE

    server.listing = lambda form_id, cursor: Listing(broken())
    with pytest.raises(ServerUnreachable):
        pull(server, tmp_path)
    assert len(mirrored(tmp_path)) == 9


def test_server_034_a_listing_that_leaves_out_what_the_server_has_deletes_nothing(tmp_path):
    server = There()
    server.rows = {f"uuid:{n}": Row("x") for n in range(5)}
    pull(server, tmp_path)
    real = server.listing
    server.listing = lambda form_id, cursor: Listing(iter([next(iter(real(form_id, cursor).pages))]))
    with pytest.raises(UnexpectedReply) as raised:
        pull(server, tmp_path)
    assert raised.value.code == "SERVER-034"
    assert len(mirrored(tmp_path)) == 5


def test_batch_024_much_that_is_gone_at_once_is_not_taken_as_deleted_until_a_person_says_so(tmp_path):
    server = There()
    server.rows = {f"uuid:{n}": Row("x") for n in range(30)}
    pull(server, tmp_path)
    server.rows = {"uuid:1": Row("x")}
    for _ in range(2):
        done = pull(server, tmp_path)
        assert [(one.code, one.severity) for one in done.warnings] == [("BATCH-024", "warning")]
        assert (done.deleted, done.certificate.equal, len(done.certificate.only_here)) == (0, False, 29)
    done = pull(server, tmp_path, full=True)
    assert (done.deleted, done.certificate.equal, done.warnings) == (29, True, ())


def test_a_full_pull_takes_much_as_deleted_at_once(tmp_path):
    server = There()
    server.rows = {f"uuid:{n}": Row("x") for n in range(30)}
    pull(server, tmp_path)
    server.rows = {}
    assert pull(server, tmp_path, full=True).deleted == 30


def test_no_file_of_somebody_who_said_no_touches_the_disk_nor_stays_in_the_store(tmp_path):
    server = There()
    server.rows = {"uuid:1": Row("x", files={"a": b"Zebracorn"})}
    real = server.fetch

    def refused(*asked) -> Fetched:
        (one,) = real(*asked).received
        return Fetched((replace(one, submission=replace(one.submission, answers={"source": "a page"})),))

    server.fetch = refused
    left = tmp_path / "visit" / ".files" / "of a killed run"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"Zebracorn")
    pull(server, tmp_path)
    assert (server.downloads, left.exists()) == ([], False)


def test_a_submission_waits_for_a_file_that_an_answer_names_and_the_phone_has_not_sent(tmp_path):
    server = There()
    server.rows = {"uuid:1": Row("x")}
    real = server.fetch

    def with_photo(*asked) -> Fetched:
        (one,) = real(*asked).received
        return Fetched((replace(one, submission=replace(one.submission, answers={"name": "x", "photo": "a.jpg"})),))

    server.fetch = with_photo
    assert pull(server, tmp_path).certificate.files_missing == 1
    (tmp_path / "visit" / "mirror.sqlite3").unlink()
    done = pull(server, tmp_path)
    assert (done.submissions, done.certificate.files_missing) == (0, 1)
    server.rows["uuid:1"].files["a.jpg"] = b"late"
    assert pull(server, tmp_path).certificate.files_missing == 0


def test_what_tells_no_version_is_read_as_what_the_workspace_says_it_is(tmp_path):
    server = There()
    server.rows = {"uuid:1": Row("x")}
    real = server.fetch

    def without(*asked) -> Fetched:
        (one,) = real(*asked).received
        return Fetched((replace(one, submission=replace(one.submission, form_version="")),))

    server.fetch = without
    pull(server, tmp_path, assume="1")
    assert mirrored(tmp_path)["uuid:1"]["form_version"] == "1"


def test_a_submission_that_goes_while_it_is_fetched_is_settled_by_the_next_pull(tmp_path):
    server = There()
    server.rows = {"uuid:1": Row("x"), "uuid:2": Row("y")}
    real = server.fetch
    server.fetch = lambda *asked: (server.rows.pop("uuid:2", None), real(*asked))[1]
    assert pull(server, tmp_path).certificate.only_there == ["uuid:2"]
    assert pull(server, tmp_path).certificate.equal


@pytest.mark.parametrize("harm", ["gone", "garbage", "batch removed"])
def test_the_index_is_made_again_from_the_batches(tmp_path, harm):
    server = There()
    server.rows = {f"uuid:{n}": Row("x", files={"a": b"1"}) for n in range(4)}
    pull(server, tmp_path)
    server.rows["uuid:new"] = Row("later")
    pull(server, tmp_path)
    index = tmp_path / "visit" / "mirror.sqlite3"
    if harm == "gone":
        index.unlink()
    elif harm == "garbage":
        index.write_bytes(b"Zebracorn" * 1000)
    else:
        path = batches(tmp_path, "visit")[1]
        path.rename(tmp_path / "aside")
    assert pull(server, tmp_path).submissions == (1 if harm == "batch removed" else 0)
    assert_equal(server, tmp_path)


def test_the_index_holds_no_answer(tmp_path):
    server = There()
    server.rows = {"uuid:1": Row("Zebracorn")}
    pull(server, tmp_path)
    assert b"Zebracorn" not in (tmp_path / "visit" / "mirror.sqlite3").read_bytes()
    assert b"Zebracorn" not in (tmp_path / "visit" / "certificates.ndjson").read_bytes()


def test_batch_022_an_import_that_came_as_if_a_phone_had_sent_it_is_refused_counted_and_told(tmp_path):
    server = There()
    server.rows = {"uuid:1": Row("Zebracorn", files={"a": b"Zebracorn"})}
    real = server.fetch

    def claims(*asked) -> Fetched:
        (one,) = real(*asked).received
        answers = {"name": "Zebracorn", "source": "a page"}
        return Fetched((replace(one, submission=replace(one.submission, answers=answers)),))

    server.fetch = claims
    done = pull(server, tmp_path)
    assert done.refused == {"import through a form server": 1}
    assert [(one.code, one.severity) for one in done.warnings] == [("BATCH-022", "warning")]
    assert mirrored(tmp_path)["uuid:1"]["answers"] == {}
    kept = [path for path in tmp_path.rglob("*") if path.is_file() and b"Zebracorn" in path.read_bytes()]
    assert (kept, pull(server, tmp_path).submissions) == ([], 0)


def test_a_certificate_that_was_cut_off_is_passed_over(tmp_path):
    (tmp_path / "visit").mkdir()
    one = Certificate("visit", "there", "2026-11-01T00:00:00Z", "2026-11-01T00:01:00Z", 1, 1, cursor="c")
    write_certificate(tmp_path, one)
    path = tmp_path / "visit" / "certificates.ndjson"
    path.write_bytes(path.read_bytes() + json.dumps({"form_id": "visit"}).encode()[:9])
    write_certificate(tmp_path, replace(one, cursor="d"))
    assert [each.cursor for each in certificates(tmp_path, "visit")] == ["c", "d"]
    assert last_certificate(tmp_path, "visit", "other") is None


def test_server_033_a_gap_that_nears_what_the_server_remembers_is_told():
    one = Certificate("visit", "there", "2026-11-01T00:00:00Z", "2026-11-01T00:00:00.000Z", 1, 1)
    assert nearly_forgotten(one, 30, datetime(2026, 11, 24, tzinfo=UTC)) is None
    assert nearly_forgotten(one, 0, datetime(2027, 11, 24, tzinfo=UTC)) is None
    assert nearly_forgotten(None, 30) is None
    told = nearly_forgotten(one, 30, datetime(2026, 11, 26, tzinfo=UTC))
    assert (told.code, told.severity, "25 days" in told.message) == ("SERVER-033", "warning", True)


def sealing(server: There, why: str) -> None:
    """From now on the server gives what it has as encrypted, and says why it could not open it."""
    real = There.fetch

    def fetch(*asked) -> Fetched:
        answers = {"base64EncryptedKey": "x", "encryptedXmlFile": "submission.xml.enc"}
        found = real(server, *asked).received
        return Fetched(
            tuple(replace(one, submission=replace(one.submission, answers=answers, sealed=why)) for one in found)
        )

    server.fetch = fetch


def test_batch_023_what_cannot_be_opened_is_told_and_fetched_again_when_there_is_a_key(tmp_path):
    server = There()
    server.rows = {"uuid:1": Row("x")}
    sealing(server, "wrong key")
    done = pull(server, tmp_path)
    assert [(one.code, "(wrong key)" in one.message) for one in done.warnings] == [("BATCH-023", True)]
    assert mirrored(tmp_path)["uuid:1"]["sealed"] == "wrong key"
    assert pull(server, tmp_path, new_keys=True).submissions == 0
    del server.fetch
    assert pull(server, tmp_path).submissions == 0
    assert pull(server, tmp_path, new_keys=True).submissions == 1
    assert_equal(server, tmp_path)


def test_answers_that_were_opened_once_are_not_replaced_by_sealed_ones(tmp_path):
    server = There()
    server.rows = {"uuid:1": Row("x")}
    pull(server, tmp_path)
    sealing(server, "wrong key")
    assert pull(server, tmp_path, full=True).submissions == 0
    assert_equal(server, tmp_path)


def test_the_reason_of_the_server_stands_when_no_key_of_ours_opens_it_either(tmp_path):
    server = There()
    server.rows = {"uuid:1": Row("x", files={"submission.xml.enc": b"sealed"})}
    sealing(server, "wrong key")
    pull(server, tmp_path, unseal=lambda submission, form, folder, body: replace(submission, sealed="no key"))
    assert mirrored(tmp_path)["uuid:1"]["sealed"] == "wrong key"


def test_a_review_of_what_was_opened_does_not_seal_it_again_and_comes_with_the_key(tmp_path):
    server = There()
    server.rows = {"uuid:1": Row("x"), "uuid:2": Row("y")}
    pull(server, tmp_path)
    server.rows["uuid:1"].review = "approved"
    server.rows["uuid:2"].edition = 1
    sealing(server, "no key")
    done = pull(server, tmp_path)
    assert [one.code for one in done.warnings] == ["BATCH-023"]
    here = mirrored(tmp_path)
    assert (here["uuid:1"]["answers"], here["uuid:1"]["review_state"]) == ({"name": "x"}, "")
    assert here["uuid:2"]["sealed"] == "no key", "another edition: nobody can tell what it says"
    del server.fetch
    pull(server, tmp_path, new_keys=True)
    assert_equal(server, tmp_path)
