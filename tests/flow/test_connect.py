"""The warehouse file: open elsewhere, not one, damaged, newer, on a full disk."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from dialogkit.errors import WarehouseError
from dialogkit.warehouse.connect import reading, writing
from tests.builders import everything, land_batch, make_form, received, rows_of, write_batch

FORM = make_form("visit", "1", [("text", "said")])
HOLDER = """
import sys
from pathlib import Path
from dialogkit.warehouse import connect
with getattr(connect, sys.argv[1])(Path(sys.argv[2])) as db:
    print("open", flush=True)
    sys.stdin.read()
"""


def error_of(act, path):
    with pytest.raises(WarehouseError) as caught, act(path):
        raise AssertionError("must not open")
    return caught.value


@pytest.mark.parametrize(("holds", "asks"), [("writing", writing), ("writing", reading), ("reading", writing)])
def test_warehouse_002_open_elsewhere(tmp_path, holds, asks):
    path = tmp_path / "w.duckdb"
    with writing(path):
        pass
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, holds, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout.readline() == b"open\n"
        error = error_of(asks, path)
        assert (error.exit_code, str(error)) == (
            9,
            "error[WAREHOUSE-002] w.duckdb\n"
            f"  Another program has the warehouse open (process {other.pid}).\n"
            "  Close it there, then run the command again. To read while others write, use: dialogkit query",
        )
        other.stdin.close()
    with asks(path) as db:
        assert db.execute("SELECT 1").fetchone() == (1,)


def test_two_readers_at_once_are_welcome(tmp_path):
    with writing(tmp_path / "w.duckdb"):
        pass
    with reading(tmp_path / "w.duckdb"), reading(tmp_path / "w.duckdb") as db:
        assert db.execute("SELECT count(*) FROM ops.runs").fetchone() == (0,)


def test_warehouse_001_there_is_none_yet(tmp_path):
    assert str(error_of(reading, tmp_path / "w.duckdb")) == (
        "error[WAREHOUSE-001] w.duckdb\n  There is no warehouse yet.\n  Bring and land submissions: dialogkit run"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("act", [reading, writing])
@pytest.mark.parametrize("data", [b"", b"x", b"Zebracorn block lock disk " * 1000])
def test_warehouse_005_a_file_that_is_no_warehouse(tmp_path, act, data):
    path = tmp_path / "lock.duckdb"
    path.write_bytes(data)
    error = error_of(act, path)
    assert str(error) == (
        "error[WAREHOUSE-005] lock.duckdb\n"
        "  The file cannot be read as a warehouse.\n"
        "  Bring back a copy. Without one, all but decisions comes back by: dialogkit land --rebuild --accept-loss"
    )
    assert path.read_bytes() == data


def test_warehouse_005_a_damaged_file(tmp_path):
    path = tmp_path / "w.duckdb"
    with writing(path) as db:
        db.execute("CREATE TABLE accepted.t AS SELECT md5(i::VARCHAR) AS a FROM range(100000) r(i)")
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 200] = bytes(200)
    path.write_bytes(data)
    with pytest.raises(WarehouseError, match="WAREHOUSE-005"), reading(path) as db:
        db.execute("SELECT count(DISTINCT a) FROM accepted.t").fetchall()


def test_warehouse_005_a_file_that_was_cut(tmp_path):
    path = tmp_path / "w.duckdb"
    with writing(path) as db:
        db.execute("CREATE TABLE accepted.t AS SELECT md5(i::VARCHAR) AS a FROM range(100000) r(i)")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])
    with pytest.raises(WarehouseError, match="WAREHOUSE-005"), reading(path) as db:
        db.execute("SELECT count(DISTINCT a) FROM accepted.t").fetchall()


def test_warehouse_004_not_enough_memory(tmp_path):
    with pytest.raises(WarehouseError) as caught, writing(tmp_path / "w.duckdb", memory_limit="20MB") as db:
        db.execute("SET max_temp_directory_size = '0KB'")
        db.execute("SELECT list(md5(i::VARCHAR)) FROM range(5000000) r(i)").fetchall()
    assert str(caught.value) == (
        "error[WAREHOUSE-004] w.duckdb\n"
        "  There was not enough memory for this step.\n"
        '  Allow more with memory_limit = "2GB" in the section [land] of dialogkit.toml.'
    )


def test_warehouse_006_a_newer_dialogkit_has_written_it(tmp_path):
    with writing(tmp_path / "w.duckdb") as db:
        db.execute("INSERT INTO main.migrations VALUES ('999_later.sql', now())")
    assert str(error_of(writing, tmp_path / "w.duckdb")) == (
        "error[WAREHOUSE-006] w.duckdb\n"
        "  A newer dialogkit has written this warehouse.\n"
        "  Install the newest dialogkit."
    )


def test_the_layout_is_made_once(tmp_path):
    for _ in range(2):
        with writing(tmp_path / "w.duckdb") as db:
            names = rows_of(db, "SELECT name FROM main.migrations")
    assert names == [
        {"name": "001_first.sql"},
        {"name": "002_history.sql"},
        {"name": "003_lineage.sql"},
        {"name": "004_validation.sql"},
    ]


@pytest.mark.parametrize("name", ["accepted.duckdb", "held.duckdb", "main.duckdb", "o'clock \".duckdb", "été.duckdb"])
def test_any_name_of_the_file_will_do(tmp_path, name):
    with writing(tmp_path / name) as db:
        land_batch(db, write_batch(tmp_path / "b", FORM, [{"said": "x"}]))
    with reading(tmp_path / name) as db:
        assert rows_of(db, "SELECT said FROM accepted.visit") == [{"said": "x"}]


def test_what_does_not_fit_in_memory_goes_beside_the_warehouse_and_is_gone_afterwards(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    with writing(tmp_path / "in" / "w.duckdb", memory_limit="30MB") as db:
        db.execute("CREATE TEMP TABLE t AS SELECT md5(i::VARCHAR) AS a FROM range(1500000) r(i) ORDER BY a")
        assert (tmp_path / "in" / ".spill").is_dir()
    assert [path.name for path in tmp_path.iterdir()] == ["in"]
    assert not list((tmp_path / "in").glob(".spill/*"))


# --- a full disk, by a limit on the size of files in a process of its own

LIMITED = """
import resource, signal, sys
from pathlib import Path
from dialogkit.errors import DialogkitError
from dialogkit.pull.batches import batches, open_batch
from dialogkit.warehouse.connect import writing
from tests.builders import land_batch
size = int(sys.argv[3])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
try:
    with writing(Path(sys.argv[2])) as db:
        land_batch(db, open_batch(batches(Path(sys.argv[1]), "visit")[-1]))
except DialogkitError as error:
    print(error)
    sys.exit(error.exit_code)
"""
FULL = (
    "error[WAREHOUSE-003] w.duckdb\n"
    "  The disk is full; nothing of this landing was written.\n"
    "  Free some space, then run the command again: it goes on where it stopped.\n"
)


@pytest.mark.parametrize("share", [0.0, 0.05, 0.3, 0.9])
def test_warehouse_003_a_full_disk_loses_nothing_and_the_landing_goes_on_after(tmp_path, share):
    path, folder = tmp_path / "w.duckdb", tmp_path / "batches"
    with writing(path) as db:
        land_batch(db, write_batch(folder, FORM, [received(FORM, {"said": "first"}, "uuid:first")]))
        before = everything(db)
    more = [received(FORM, {"said": f"{n:x}" * 500}, f"uuid:{n}") for n in range(3000)]
    batch = write_batch(folder, FORM, more)
    size = path.stat().st_size
    limit = int(size + share * 2_000_000)
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, folder, path, str(limit)], cwd=root, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (9, FULL, "")
    with writing(path) as db:
        assert everything(db) == before
        assert land_batch(db, batch).accepted == 3000


def test_a_full_disk_at_the_first_opening_is_told_too(tmp_path):
    folder = tmp_path / "batches"
    write_batch(folder, FORM, [{"said": "x"}])
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, folder, tmp_path / "w.duckdb", "10000"],
        cwd=root, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (9, FULL, "")


def test_an_error_of_duckdb_that_is_none_of_these_is_not_hidden(tmp_path):
    with pytest.raises(duckdb.BinderException), writing(tmp_path / "w.duckdb") as db:
        db.execute("SELECT nothing_of_this_name")
