"""`land --rebuild`: everything landed anew from the batches gives equal tables, and no stop harms the old warehouse."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from filelock import FileLock

from dialogkit.cli.main import cli
from dialogkit.errors import WarehouseError
from dialogkit.pull.batches import batches
from dialogkit.steps.land import land
from dialogkit.steps.rebuild import rebuild
from dialogkit.warehouse.connect import reading, writing
from dialogkit.warehouse.rebuilt import Missing
from dialogkit.workspace import Workspace, open_workspace
from tests.builders import rows_of, write_batch
from tests.flow.eventful import NEWER, eventful_site, tables_of, visit


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return eventful_site(tmp_path_factory.mktemp("site"))


@pytest.fixture
def site(made: Workspace, tmp_path: Path) -> Workspace:
    """A copy that a test may spoil."""
    shutil.copytree(made.root, tmp_path / "site")
    return open_workspace(tmp_path / "site")


def test_the_site_has_everything_that_a_rebuild_could_lose(made):
    with reading(made.warehouse) as db:
        states = rows_of(db, "SELECT state, count(*) AS n FROM ops.versions GROUP BY ALL")
        assert {row["state"] for row in states} == {"accepted", "held", "refused", "deleted", "dropped"}
        for table in (
            "ops.drift",
            "ops.issues",
            "ops.sources",
            "ops.attachments",
            "history.visit",
            "identifiers.visit",
        ):
            assert rows_of(db, f"FROM {table} LIMIT 1"), table
        names = [row["column_name"] for row in rows_of(db, "FROM ops.columns WHERE table_name = 'visit'")]
        assert {"word", "h__word"} <= set(names)
        assert rows_of(db, "FROM history.visit__deep LIMIT 1")


def test_a_rebuild_gives_equal_tables(site):
    before = tables_of(site)
    made_anew = rebuild(site)
    assert (made_anew.decisions, len(made_anew.landed), made_anew.missing, made_anew.aside) == (4, 5, Missing(), None)
    after = tables_of(site)
    assert {name for name in before | after if before.get(name) != after.get(name)} == set()
    assert len(after) > 25
    assert not list(site.warehouse.parent.glob(".rebuild.duckdb*"))
    assert land(site) == []
    result = CliRunner().invoke(cli, ["land", "--rebuild", "--json", "-q", "-w", str(site.root)])
    assert (result.exit_code, len(json.loads(result.stdout))) == (0, 5)
    assert "Made anew; batches: 5, decisions carried over: 4.\n" in result.stderr
    assert not re.search("Zebra|Quokka", result.output)
    assert tables_of(site) == before


def test_a_batch_that_waited_is_landed_with_the_others(site):
    write_batch(site.batches, NEWER, [visit("z", NEWER), visit("a", NEWER, 4, answers={"age": "many"})])
    landed = rebuild(site).landed
    assert [(one.accepted, one.held) for one in landed][-1] == (1, 1)
    with reading(site.warehouse) as db:
        assert rows_of(db, "SELECT state FROM ops.submissions WHERE submission_id = 'uuid:a'") == [{"state": "held"}]


def test_a_decision_stands_though_its_rule_is_gone(site):
    """Nothing would hold it any more, and dropped it stays."""
    for path in (site.versions / "visit").glob("*.json"):
        kept = json.loads(path.read_text())
        for question in kept["form"]["questions"]:
            question["type"] = "text"
        path.write_text(json.dumps(kept))
    rebuild(site)
    with reading(site.warehouse) as db:
        found = rows_of(
            db, "SELECT state FROM ops.submissions WHERE submission_id IN ('uuid:b', 'uuid:i') ORDER BY ALL"
        )
        assert found == [{"state": "accepted"}, {"state": "dropped"}]
        assert len(rows_of(db, "FROM ops.decisions")) == 4


@pytest.mark.parametrize("words", [["--rebuild", "visit"], ["--accept-loss"]])
def test_what_does_not_go_together_is_wrong_usage(site, words):
    assert CliRunner().invoke(cli, ["land", *words, "-w", str(site.root)]).exit_code == 2


# --- what cannot be carried over


def refused(site: Workspace, code: str) -> str:
    with pytest.raises(WarehouseError) as caught:
        rebuild(site)
    assert (caught.value.code, caught.value.exit_code) == (code, 9)
    assert not list(site.warehouse.parent.glob(".rebuild.duckdb*"))
    return str(caught.value)


def test_warehouse_041_without_the_old_one_decisions_would_be_lost(site):
    site.warehouse.unlink()
    assert "is not there: decisions" in refused(site, "WAREHOUSE-041")
    assert not site.warehouse.exists()


def test_warehouse_041_one_that_cannot_be_read_stays_and_is_kept_aside(site):
    site.warehouse.write_bytes(b"Zebracorn" * 1000)
    log = site.warehouse.with_name(f"{site.warehouse.name}.wal")
    log.write_bytes(b"log")
    assert "cannot be read: decisions" in refused(site, "WAREHOUSE-041")
    assert site.warehouse.read_bytes() == b"Zebracorn" * 1000
    aside = rebuild(site, accept_loss=True).aside
    assert aside is not None
    assert aside.read_bytes() == b"Zebracorn" * 1000
    assert not log.exists()
    with reading(site.warehouse) as db:
        assert len(rows_of(db, "FROM ops.runs")) == 5


def test_warehouse_042_submissions_whose_batch_is_gone_are_not_lost(site):
    before = tables_of(site)
    shutil.rmtree(batches(site.batches, "page")[0])
    message = refused(site, "WAREHOUSE-042")
    assert "has 1 submissions and 1 versions that stand in no batch" in message
    assert tables_of(site) == before
    assert rebuild(site, accept_loss=True).missing == Missing(1, 1)


def test_warehouse_043_two_rebuilds_do_not_meet(site):
    with FileLock(site.warehouse.with_name(".rebuild.lock")):
        refused(site, "WAREHOUSE-043")


def test_warehouse_043_a_log_that_somebody_left_is_not_put_beside_another_file(site, monkeypatch):
    log = site.warehouse.with_name(f"{site.warehouse.name}.wal")

    def left(path: Path) -> bool:
        log.write_bytes(b"")
        return True

    monkeypatch.setattr("dialogkit.steps.rebuild._readable", left)
    refused(site, "WAREHOUSE-043")


def test_nobody_decides_anything_while_it_is_rebuilt(site, monkeypatch):
    tried = []

    def decides(*arguments) -> Missing:
        code = (
            "from dialogkit.warehouse.connect import writing\nfrom pathlib import Path\n"
            f"with writing(Path({str(site.warehouse)!r})): pass"
        )
        tried.append(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False).stderr)
        return Missing()

    monkeypatch.setattr("dialogkit.steps.rebuild._land_all", lambda *_: ())
    monkeypatch.setattr("dialogkit.steps.rebuild.compare", decides)
    rebuild(site)
    assert "WAREHOUSE-002" in tried[0]
    with writing(site.warehouse) as db:
        assert rows_of(db, "FROM ops.runs") == []


# --- stops at any point

CHILD = """
import os, resource, signal, sys
from pathlib import Path
from dialogkit.errors import DialogkitError
from dialogkit.steps import rebuild as it
from dialogkit.workspace import open_workspace

def die(*_): os.kill(os.getpid(), signal.SIGKILL)

def after(act):
    def then(*arguments): act(*arguments); die()
    return then

def go(root, point):
    if point == "after a batch": it.date_decisions = after(it.date_decisions)
    if point == "before the swap": it._swap = die
    if point == "after the swap": it.sync_folder = die
    if point.isdigit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(point), int(point)))
    try:
        it.rebuild(open_workspace(Path(root)))
    except DialogkitError as error:
        sys.stderr.write(str(error))
        return error.exit_code
    return 0

import dialogkit.validate.gate
for line in sys.stdin:
    root, point = line.rstrip("\\n").split("\\t")
    pid = os.fork()
    if pid == 0:
        os._exit(go(root, point))
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""


@pytest.fixture(scope="module")
def child() -> Iterator[subprocess.Popen[str]]:
    """Everything imported once; each line forks one that is stopped at a point of its rebuild."""
    root = Path(__file__).parents[2]
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen([sys.executable, "-c", CHILD], cwd=root, text=True, **pipes) as process:
        yield process
        process.stdin.close()


def stopped(child: subprocess.Popen[str], site: Workspace, point: str) -> int:
    child.stdin.write(f"{site.root}\t{point}\n")
    child.stdin.flush()
    return int(child.stdout.readline())


def test_a_kill_leaves_a_whole_warehouse_and_the_next_run_works(site, child):
    before = tables_of(site)
    for point in ("after a batch", "before the swap", "after the swap"):
        assert stopped(child, site, point) == -signal.SIGKILL
        assert bool(list(site.warehouse.parent.glob(".rebuild.duckdb"))) == (point != "after the swap")
        assert tables_of(site) == before
    rebuild(site)
    assert tables_of(site) == before
    assert not list(site.warehouse.parent.glob(".rebuild.duckdb*"))


def test_a_full_disk_leaves_the_old_warehouse_whole(site, child):
    before = tables_of(site)
    assert stopped(child, site, str(int(site.warehouse.stat().st_size * 0.6))) == WarehouseError.exit_code
    assert tables_of(site) == before
    assert not list(site.warehouse.parent.glob(".rebuild.duckdb*"))
