"""One suite for every kind of server: what is pulled is what is there, as it was typed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dialogkit.progress import SILENT
from dialogkit.pull.batches import Batch, batches, open_batch
from dialogkit.pull.manifest import read_manifest
from dialogkit.pull.portions import How, Pulled
from dialogkit.pull.sync import pull_form
from tests.contract.live_worlds import EVERYWHERE, KINDS
from tests.contract.worlds import World, answers_of


class Mirror:
    """A world and the batches that are pulled from it."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world, self.folder = world, folder
        self._read: dict[Path, list[dict]] = {}

    def pull(self, **how: object) -> Pulled:
        """With a new client, as a new run has it."""
        return pull_form(
            self.world.client(),
            self.world.form,
            self.world.find_form,
            self.folder,
            SILENT,
            How(**how),  # type: ignore[arg-type]  # options are handed on
        )

    def lines(self) -> dict[str, dict]:
        """The newest line of each submission, deleted ones too."""
        found: dict[str, dict] = {}
        for path in batches(self.folder, "visit"):
            if path not in self._read:
                self._read[path] = [line | {"batch": path} for line in open_batch(path).lines()]
            found |= {line["id"]: line for line in self._read[path]}
        return found

    def answers(self) -> dict[str, dict]:
        return {key: line["answers"] for key, line in self.lines().items() if not line["deleted_at"]}

    def files(self, key: str) -> dict[str, bytes]:
        line = self.lines()[key]
        batch = Batch(line["batch"], read_manifest(line["batch"]))
        return {file["name"]: batch.attachment(key, file["name"]).read_bytes() for file in line["attachments"]}


@pytest.fixture(params=KINDS)
def mirror(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Mirror]:
    """One for each kind of server."""
    (tmp_path / "world").mkdir()
    with EVERYWHERE[request.param](tmp_path / "world") as world:
        yield Mirror(world, tmp_path / "batches")


def only_where(mirror: Mirror, what: str) -> None:
    if what not in mirror.world.can:
        pytest.skip(f"{mirror.world.kind} knows no {what}")


def test_every_answer_comes_as_the_text_that_was_typed(mirror):
    sent = {mirror.world.new(answers_of(n), {}): answers_of(n) for n in range(4)}
    done = mirror.pull()
    assert mirror.answers() == sent
    assert (done.submissions, done.certificate.equal) == (4, True)
    assert (done.certificate.server_count, done.certificate.local_count) == (4, 4)
    for key, line in mirror.lines().items():
        assert (line["id"], line["form_version"], line["edited"], line["refused"]) == (key, "7", False, "")
        assert line["submitted_at"] == "" or line["submitted_at"].endswith(("Z", "+00:00"))


def test_a_submission_with_nothing_in_it_comes_too(mirror):
    key = mirror.world.new({}, {})
    mirror.pull()
    assert mirror.answers() == {key: {}}


def test_nothing_comes_twice(mirror):
    for n in range(3):
        mirror.world.new(answers_of(n), {})
    assert mirror.pull().submissions == 3
    again = mirror.pull()
    assert (again.submissions, again.batches, again.certificate.equal) == (0, 0, True)


def test_what_is_new_comes_with_the_next_pull_alone(mirror):
    mirror.world.new(answers_of(1), {})
    mirror.pull()
    key = mirror.world.new(answers_of(2), {})
    assert mirror.pull().submissions == 1
    assert mirror.answers()[key] == answers_of(2)


def test_an_edit_replaces_the_answers_under_the_same_id(mirror):
    only_where(mirror, "edit")
    key, other = mirror.world.new(answers_of(1), {}), mirror.world.new(answers_of(2), {})
    mirror.pull()
    mirror.world.edit(key, answers_of(3))
    assert mirror.pull().submissions == 1
    assert mirror.answers() == {key: answers_of(3), other: answers_of(2)}
    if mirror.world.kind != "folder":
        assert mirror.lines()[key]["edited"] is True


def test_a_review_comes_in_our_words(mirror):
    only_where(mirror, "review")
    key = mirror.world.new(answers_of(1), {})
    mirror.pull()
    for state in ("approved", "rejected", "has_issues", ""):
        mirror.world.review(key, state)
        assert mirror.pull().submissions == 1
        assert (mirror.lines()[key]["review_state"], mirror.answers()[key]) == (state, answers_of(1))


def test_a_deletion_leaves_a_tombstone_without_answers(mirror):
    only_where(mirror, "delete")
    key, other = mirror.world.new(answers_of(1), {}), mirror.world.new(answers_of(2), {})
    mirror.pull()
    mirror.world.delete(key)
    done = mirror.pull()
    assert (done.deleted, done.certificate.equal, set(mirror.answers())) == (1, True, {other})
    assert (mirror.lines()[key]["answers"], mirror.lines()[key]["deleted_at"][:2]) == ({}, "20")
    assert mirror.pull().submissions == 0


def test_what_is_restored_comes_back(mirror):
    only_where(mirror, "restore")
    key = mirror.world.new(answers_of(1), {})
    mirror.pull()
    mirror.world.delete(key)
    mirror.pull()
    mirror.world.restore(key)
    assert mirror.pull().certificate.equal
    assert mirror.answers() == {key: answers_of(1)}


def test_attachments_come_with_their_submission_byte_for_byte(mirror):
    photo, empty = bytes(range(256)) * 2000, b""
    key = mirror.world.new(answers_of(1, "a b é.jpg", "none.jpg"), {"a b é.jpg": photo, "none.jpg": empty})
    done = mirror.pull()
    assert mirror.files(key) == {"a b é.jpg": photo, "none.jpg": empty}
    assert done.certificate.files_missing == 0


def test_an_attachment_that_arrives_late_is_fetched_then(mirror):
    only_where(mirror, "attach")
    key = mirror.world.new(answers_of(1, "a.jpg", "b.jpg"), {"a.jpg": b"first"})
    mirror.pull()
    mirror.world.attach(key, "b.jpg", b"second")
    assert mirror.pull().submissions == 1
    assert mirror.files(key) == {"a.jpg": b"first", "b.jpg": b"second"}
    assert mirror.pull().submissions == 0


def test_attachments_can_be_left_for_later(mirror):
    if mirror.world.kind == "openrosa":
        pytest.skip("a feed gives each submission once")
    key = mirror.world.new(answers_of(1, "a.jpg"), {"a.jpg": b"photo"})
    assert mirror.pull(files=False).certificate.files_missing == 1
    mirror.pull()
    assert mirror.files(key) == {"a.jpg": b"photo"}


def test_a_full_pull_finds_the_same_again(mirror):
    sent = {mirror.world.new(answers_of(n), {}): answers_of(n) for n in range(3)}
    mirror.pull()
    assert mirror.pull(full=True).certificate.equal
    assert mirror.answers() == sent


def test_an_empty_server_is_no_error(mirror):
    if mirror.world.kind == "folder":
        pytest.skip("an empty folder is more likely the wrong one: SERVER-105")
    done = mirror.pull()
    assert (done.submissions, done.certificate.server_count, done.certificate.equal) == (0, 0, True)


def test_nothing_that_is_kept_holds_a_secret(mirror):
    mirror.world.new(answers_of(1, "a.jpg"), {"a.jpg": b"photo"})
    mirror.pull()
    place = mirror.world.place
    secrets = [getattr(place, name, "") for name in ("token", "password")] if place else []
    kept = b"".join(path.read_bytes() for path in mirror.folder.rglob("*") if path.is_file())
    for secret in filter(None, secrets):
        assert secret.encode() not in kept
