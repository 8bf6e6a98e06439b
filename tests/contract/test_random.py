"""Hundreds of random changes on each server, with pulls between: the mirror equals the server after every pull."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from dialogkit.config import read_config
from dialogkit.files import write_whole
from dialogkit.forms.build import build_form
from dialogkit.forms.versions import keep_version
from dialogkit.steps.land import land
from dialogkit.warehouse.connect import reading
from dialogkit.workspace import Workspace
from tests.contract.live_worlds import EVERYWHERE, KINDS
from tests.contract.test_servers import Mirror
from tests.contract.worlds import World, answers_of

OPERATIONS = 500
#: A real KoboToolbox takes about a second for each.
FEWER = {"kobo-live": 120}


class Life:
    """Changes a world at random and remembers what must be there."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.chance = world, random.Random(seed)
        self.live: dict[str, dict[str, Any]] = {}
        self.dead: dict[str, dict[str, Any]] = {}
        self.done: dict[str, int] = {}
        kinds = {"new": 4, "split": 2, "edit": 4, "review": 3, "delete": 2, "restore": 2, "attach": 3}
        self.kinds = {kind: weight for kind, weight in kinds.items() if kind in world.can | {"new", "split"}}

    def step(self, number: int) -> None:
        """One change; what is not possible now becomes a new submission."""
        (kind,) = self.chance.choices(list(self.kinds), list(self.kinds.values()))
        if not getattr(self, f"_{kind}")(number):
            kind = "new"
            self._new(number)
        self.done[kind] = self.done.get(kind, 0) + 1

    def _new(self, number: int, *, late: bool = False) -> bool:
        answers = answers_of(number, f"p{number}.jpg", f"o{number}.jpg")
        files = {f"p{number}.jpg": b"photo %d" % (number % 5)}
        if not late:
            files[f"o{number}.jpg"] = b"other %d" % number
        key = self.world.new(answers, files)
        self.live[key] = {"answers": answers, "review": "", "files": files}
        return True

    def _split(self, number: int) -> bool:
        """The second post of a large submission has not come yet."""
        return self._new(number, late=True)

    def _edit(self, number: int) -> bool:
        key = self._one()
        if not key:
            return False
        old = self.live[key]["answers"]
        new = answers_of(number, old["ctx/photo"], old["ctx/other"])
        self.world.edit(key, new)
        self.live[key]["answers"] = new
        if self.world.kind == "central":
            self.live[key]["review"] = "edited"
        return True

    def _review(self, number: int) -> bool:
        key = self._one()
        if key:
            state = self.chance.choice(["approved", "rejected", "has_issues"])
            self.world.review(key, state)
            self.live[key]["review"] = state
        return bool(key)

    def _delete(self, number: int) -> bool:
        key = self._one()
        if key:
            self.world.delete(key)
            self.dead[key] = self.live.pop(key)
        return bool(key)

    def _restore(self, number: int) -> bool:
        if not self.dead:
            return False
        key = self.chance.choice(list(self.dead))
        self.world.restore(key)
        self.live[key] = self.dead.pop(key)
        return True

    def _attach(self, number: int) -> bool:
        waiting = [key for key, row in self.live.items() if len(row["files"]) < 2]
        if not waiting:
            return False
        key = self.chance.choice(waiting)
        name = self.live[key]["answers"]["ctx/other"]
        self.world.attach(key, name, b"late %d" % number)
        self.live[key]["files"][name] = b"late %d" % number
        return True

    def _one(self) -> str:
        return self.chance.choice(list(self.live)) if self.live else ""


def assert_equal(mirror: Mirror, life: Life) -> None:
    lines = {key: line for key, line in mirror.lines().items() if not line["deleted_at"]}
    assert set(lines) == set(life.live)
    for key, row in life.live.items():
        assert lines[key]["answers"] == row["answers"]
        assert lines[key]["review_state"] == row["review"]
        assert {file["name"] for file in lines[key]["attachments"]} == set(row["files"])


@pytest.mark.parametrize("kind", KINDS)
def test_after_every_pull_the_mirror_equals_the_server_and_history_keeps_every_version(tmp_path, kind):
    (tmp_path / "world").mkdir()
    operations = FEWER.get(kind, OPERATIONS)
    with EVERYWHERE[kind](tmp_path / "world") as world:
        workspace = _workspace(tmp_path)
        mirror, life = Mirror(world, workspace.batches), Life(world, seed=11)
        for number in range(operations):
            life.step(number)
            if number % 29 == 28 or number == operations - 1:
                done = mirror.pull()
                assert done.certificate.equal, done.certificate
                assert_equal(mirror, life)
        for key, row in life.live.items():
            assert mirror.files(key) == row["files"]
        assert sum(life.done.values()) == operations
        assert set(life.done) >= set(life.kinds) - {"split"}
    assert_history(workspace, life)


def assert_history(workspace: Workspace, life: Life) -> None:
    """Every version that a pull brought stands in the history once, one after the other; the last is what is there."""
    land(workspace)
    brought: list[tuple[str, int]] = []
    last: dict[str, str] = {}
    for line in (line for path in _batches(workspace) for line in path):
        # A review that was given once more changes nothing of a submission but its mark on the server.
        if last.get(line["id"]) != line["content"]:
            brought.append((line["id"], int(line["content"][:16], 16)))
        last[line["id"]] = line["content"]
    with reading(workspace.warehouse) as db:
        kept = db.execute("SELECT submission_id, content FROM ops.versions").fetchall()
        overlaps = db.execute(
            "SELECT count(*) FROM ops.versions a JOIN ops.versions b ON a.submission_id = b.submission_id "
            "AND a <> b AND a.valid_from <= b.valid_from "
            "AND coalesce(a.valid_to, 'infinity'::TIMESTAMPTZ) > b.valid_from"
        ).fetchone()
        current = db.execute(
            "SELECT submission_id FROM ops.versions WHERE valid_to IS NULL AND state IN ('accepted', 'held')"
        )
        assert {row[0] for row in current.fetchall()} == set(life.live)
    assert sorted(kept) == sorted(brought)
    assert overlaps == (0,)


def _batches(workspace: Workspace) -> list[list[dict[str, Any]]]:
    from dialogkit.pull.batches import batches, open_batch

    return [list(open_batch(path).lines()) for path in batches(workspace.batches, "visit")]


def _workspace(folder: Path) -> Workspace:
    from tests.contract.worlds import FORM

    write_whole(folder / "here" / "visit.md", FORM.encode())
    write_whole(folder / "here" / "dialogkit.toml", b'[forms.visit]\nfile = "visit.md"\n')
    workspace = Workspace(folder / "here", read_config(folder / "here" / "dialogkit.toml"))
    keep_version(workspace.versions, build_form(folder / "here" / "visit.md"))
    return workspace
