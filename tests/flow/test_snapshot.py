"""Snapshots: what readers see, and what they can never reach."""

from __future__ import annotations

from pathlib import Path

import pytest

from dialogkit.errors import WarehouseError
from dialogkit.steps.query import query
from dialogkit.warehouse.connect import reading, writing
from dialogkit.warehouse.snapshot import current_snapshot, make_snapshot, open_snapshot
from dialogkit.workspace import Workspace, open_workspace
from tests.builders import land_batch, make_form, received, rows_of, write_batch

FORM = make_form(
    "visit",
    "1",
    [
        ("text", "name", {"disclosure": "direct"}),
        ("text", "said"),
        ("integer", "age"),
        ("repeat", "r"),
        ("text", "r/x"),
    ],
)


def made(tmp_path: Path) -> Workspace:
    """A warehouse with accepted, held and deleted submissions."""
    (tmp_path / "dialogkit.toml").write_text('[forms.visit]\nfile = "x.xlsx"\n')
    workspace = open_workspace(tmp_path)
    some = [
        received(
            FORM, {"name": "Namewomble", "said": "Acceptwomble", "age": "4", "r": [{"r/x": "Rowwomble"}]}, "uuid:acc"
        ),
        received(FORM, {"name": "Otherwomble", "said": "Heldwomble", "r": [{"r/x": "Heldrow"}]}, "uuid:held"),
        received(FORM, {"said": "Deletedwomble", "age": "Issuewomble", "new": "Driftwomble"}, "uuid:gone"),
        received(FORM, {"said": "Fine", "age": "Rawwomble", "new": "Driftwomble"}, "uuid:raw"),
    ]
    with writing(workspace.warehouse) as db:
        land_batch(db, write_batch(workspace.batches, FORM, some), hold={"uuid:held": "RULE-001"})
        gone = received(FORM, {}, "uuid:gone", deleted_at="2026-11-21T10:00:00Z")
        land_batch(db, write_batch(workspace.batches, FORM, [gone]))
    return workspace


@pytest.fixture
def place(tmp_path) -> Workspace:
    return made(tmp_path)


@pytest.fixture(scope="module")
def shown(tmp_path_factory) -> Workspace:
    """The same with a snapshot, for tests that change nothing."""
    workspace = made(tmp_path_factory.mktemp("shown"))
    snapshot(workspace)
    return workspace


def snapshot(workspace):
    return make_snapshot(workspace.warehouse, workspace.snapshots)


def test_a_snapshot_has_what_was_accepted(shown):
    columns, rows = query(shown, "SELECT _submission_id, said, age FROM accepted.visit ORDER BY 1")
    assert columns == ["_submission_id", "said", "age"]
    assert rows == [("uuid:acc", "Acceptwomble", 4), ("uuid:raw", "Fine", None)]
    assert query(shown, "SELECT x FROM accepted.visit__r")[1] == [("Rowwomble",)]
    assert query(shown, "SELECT form_id, state, n FROM ops.received ORDER BY 2")[1] == [
        ("visit", "accepted", 2),
        ("visit", "deleted", 1),
        ("visit", "held", 1),
    ]


def test_nothing_held_or_deleted_and_no_identifier_is_in_the_bytes_of_a_snapshot(shown):
    data = current_snapshot(shown.snapshots).read_bytes()
    assert b"Acceptwomble" in data
    for word in (
        b"Namewomble",
        b"Otherwomble",
        b"Heldwomble",
        b"Heldrow",
        b"Deletedwomble",
        b"uuid:held",
        b"uuid:gone",
    ):
        assert word not in data
    for word in (b"Issuewomble", b"Rawwomble", b"Driftwomble", b"RULE-001"):
        assert word not in data


def test_a_column_that_became_an_identifier_is_in_no_later_snapshot(place):
    new = make_form(
        "visit",
        "2",
        [("text", "name", {"disclosure": "direct"}), ("text", "said", {"disclosure": "direct", "labels": {"": "L"}})],
    )
    with writing(place.warehouse) as db:
        land_batch(db, write_batch(place.batches, new, [received(new, {"said": "New"}, "uuid:new")]), FORM, new)
    path = snapshot(place)
    assert b"Acceptwomble" not in path.read_bytes()
    assert "said" not in query(place, "SELECT * FROM accepted.visit")[0]


def test_labels_go_with_the_columns(shown):
    sql = "SELECT comment FROM duckdb_columns() WHERE table_name = 'visit' AND column_name = 'said'"
    sql += " AND schema_name = 'accepted'"
    assert query(shown, sql)[1] == [("Label of said",)]


def test_the_pointer_moves_only_to_a_whole_snapshot(place, monkeypatch):
    first = snapshot(place)
    with monkeypatch.context() as patch, pytest.raises(ValueError, match="stop"):
        patch.setattr(
            "dialogkit.warehouse.snapshot.create_concepts", lambda _: (_ for _ in ()).throw(ValueError("stop"))
        )
        snapshot(place)
    assert current_snapshot(place.snapshots) == first
    second = snapshot(place)
    assert current_snapshot(place.snapshots) == second != first
    assert not list(place.snapshots.glob(".partial-*"))


def test_a_reader_of_the_old_snapshot_goes_on(place):
    snapshot(place)
    with open_snapshot(place.snapshots) as old:
        for number in range(5):
            with writing(place.warehouse) as db:
                more = received(FORM, {"said": "More"}, f"uuid:more{number}")
                land_batch(db, write_batch(place.batches, FORM, [more]))
            snapshot(place)
        assert old.execute("SELECT count(*) FROM accepted.visit").fetchone() == (2,)
        with open_snapshot(place.snapshots) as new:
            assert new.execute("SELECT count(*) FROM accepted.visit").fetchone() == (7,)
    assert len(list(place.snapshots.glob("*.duckdb"))) == 3


def test_readers_do_not_block_a_landing(place):
    snapshot(place)
    with open_snapshot(place.snapshots), writing(place.warehouse) as db:
        assert rows_of(db, "SELECT count(*) AS n FROM accepted.visit") == [{"n": 2}]


def test_warehouse_009_no_snapshot_yet(tmp_path):
    with pytest.raises(WarehouseError) as caught:
        current_snapshot(tmp_path)
    assert str(caught.value) == (
        "error[WAREHOUSE-009] warehouse/snapshots\n  There is no snapshot yet.\n"
        "  Bring and land submissions: dialogkit run"
    )


@pytest.mark.parametrize("text", ["", "..", "gone.duckdb", "\x00"])
def test_a_pointer_to_nothing_is_no_snapshot(tmp_path, text):
    (tmp_path / "current.txt").write_text(text)
    with pytest.raises(WarehouseError, match="WAREHOUSE-009"):
        current_snapshot(tmp_path)


def test_a_snapshot_of_no_warehouse_says_so(tmp_path):
    with pytest.raises(WarehouseError, match="WAREHOUSE-001"):
        make_snapshot(tmp_path / "w.duckdb", tmp_path / "snapshots")


HOSTILE = [
    "COPY accepted.visit TO '{out}'",
    "COPY (SELECT 1) TO '{out}' (FORMAT parquet)",
    "EXPORT DATABASE '{out}'",
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_blob('/etc/passwd')",
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM glob('/etc/*')",
    "COPY accepted.visit FROM '/etc/passwd'",
    "ATTACH '{out}'",
    "ATTACH '{warehouse}' AS w (READ_ONLY)",
    "INSTALL httpfs",
    "LOAD httpfs",
    "SELECT * FROM read_csv('http://127.0.0.1:1/x')",
    "SET enable_external_access = true",
    "RESET enable_external_access",
    "SET lock_configuration = false",
    "SET allowed_directories = ['/']",
    "PRAGMA database_list; COPY (SELECT 1) TO '{out}'",
    "CREATE TABLE accepted.mine (a INTEGER)",
    "INSERT INTO accepted.visit (said) VALUES ('x')",
    "UPDATE accepted.visit SET said = 'x'",
    "DELETE FROM accepted.visit",
    "DROP TABLE accepted.visit",
    "CREATE SECRET (TYPE s3)",
    "CALL write_log('x'); COPY (SELECT 1) TO '{out}'",
]


@pytest.mark.parametrize("statement", HOSTILE)
def test_warehouse_010_a_reader_reaches_nothing_but_the_snapshot(shown, tmp_path, statement):
    path = current_snapshot(shown.snapshots)
    before = path.read_bytes()
    out = tmp_path / "out"
    with pytest.raises(WarehouseError) as caught:
        query(shown, statement.format(out=out, warehouse=shown.warehouse))
    assert caught.value.code == "WAREHOUSE-010"
    assert not out.exists()
    assert path.read_bytes() == before


def test_a_query_does_not_see_the_variables_of_the_program(shown):
    import pandas as pd

    secret = pd.DataFrame({"a": ["x"]})
    with open_snapshot(shown.snapshots) as db, pytest.raises(Exception, match="secret"):
        db.execute("SELECT * FROM secret").fetchall()
    assert len(secret) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT said::INTEGER FROM accepted.visit",
        "SELECT error(said) FROM accepted.visit",
        "SELECT said::DATE FROM accepted.visit",
        "SELECT strptime(said, '%Y') FROM accepted.visit",
        "SELECT json_extract(said, '$') FROM accepted.visit",
        "SELECT regexp_matches('a', said || '(') FROM accepted.visit",
    ],
)
def test_an_error_of_a_query_quotes_no_answer(shown, statement):
    with pytest.raises(WarehouseError) as caught:
        query(shown, statement)
    assert "womble" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_an_error_in_the_statement_is_explained(shown):
    with pytest.raises(WarehouseError) as caught:
        query(shown, "SELECT sad FROM accepted.visit")
    assert caught.value.where == "query"
    assert "sad" in caught.value.problem.message
    assert "said" in caught.value.problem.message


def test_reading_takes_no_write(shown):
    with reading(shown.warehouse) as db, pytest.raises(Exception, match="read-only"):
        db.execute("DELETE FROM accepted.visit")
