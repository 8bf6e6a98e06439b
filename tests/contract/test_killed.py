"""kill -9 at fifty random points of pulls, then again: the mirror is equal and no attachment is missing."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.contract.test_servers import Mirror
from tests.contract.worlds import WORLDS, World, answers_of

#: For each of the two kinds.
KILLS = 25
#: Seconds to begin with.
LONGEST = 0.2


class Puller:
    """Pulls in a process of its own that can be killed."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def pull(self, kill_after: float = 0) -> int:
        """The exit code; -9 when it was killed in time."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{kill_after}\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


@contextmanager
def puller(world: World, folder: Path) -> Iterator[Puller]:
    facts = {"form": str(folder / "world" / "visit.md"), "batches": str(folder / "batches")}
    for name in ("url", "token", "project_id", "email", "password"):
        facts[name] = str(getattr(world.place, name, ""))
    if world.kind == "kobo":
        facts["uid"] = next(iter(world.place.state.assets))
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.contract.zygote", world.kind, json.dumps(facts)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Puller(process)
    finally:
        process.communicate(timeout=30)


@pytest.mark.parametrize("kind", ["kobo", "central"])
def test_a_pull_that_is_killed_anywhere_loses_nothing_and_doubles_nothing(tmp_path, kind):
    (tmp_path / "world").mkdir()
    chance = random.Random(5)
    with WORLDS[kind](tmp_path / "world") as world, puller(world, tmp_path) as process:
        sent: dict[str, dict] = {}
        files: dict[str, dict[str, bytes]] = {}

        def more(count: int) -> None:
            for _ in range(count):
                number = len(sent)
                answers = answers_of(number, f"p{number}.jpg")
                key = world.new(answers, {f"p{number}.jpg": b"%d" % number * 1000})
                sent[key], files[key] = answers, {f"p{number}.jpg": b"%d" % number * 1000}

        more(30)
        assert process.pull() == 0
        killed, longest = 0, LONGEST
        for number in range(8 * KILLS):
            more(25 if number % 5 == 0 else 3)
            key = chance.choice(list(sent))
            sent[key] = answers_of(1000 + number, next(iter(files[key])))
            world.edit(key, sent[key])
            late = process.pull(kill_after=0.005 + chance.random() * longest) == 0
            # As long as a pull takes on this machine: few are killed too late, and none always too early.
            longest = max(0.01, longest * (0.8 if late else 1.15))
            killed += not late
            if killed == KILLS:
                break
        assert killed == KILLS
        assert process.pull() == 0
        mirror = Mirror(world, tmp_path / "batches")
        assert mirror.answers() == sent
        assert {key: mirror.files(key) for key in sent} == files
        done = mirror.pull()
        assert (done.submissions, done.certificate.equal, done.certificate.files_missing) == (0, True, 0)
        left = [path.name for path in (tmp_path / "batches" / "visit").iterdir() if path.name.startswith(".")]
        assert left == [".lock"]
