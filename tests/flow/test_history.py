"""History: every version of a submission is kept, and any table can be read as it was."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from dialogkit.bundled import bundled
from dialogkit.errors import WarehouseError
from dialogkit.model.submission import Answers
from dialogkit.steps.query import query
from dialogkit.warehouse import load as loading
from dialogkit.warehouse.as_of import FOLDER, open_as_of, time_of
from dialogkit.warehouse.connect import new_file, writing
from dialogkit.warehouse.held import drop, release
from dialogkit.warehouse.snapshot import make_snapshot
from dialogkit.workspace import open_workspace
from tests.builders import everything, land_batch, make_form, received, rows_of, write_batch

ROWS = [
    ("text", "name", {"disclosure": "direct"}),
    ("text", "said"),
    ("integer", "age"),
    ("repeat", "r"),
    ("text", "r/x"),
    ("select_one", "final", {"concept": "consent.final_choice", "choices": ["keep", "delete"]}),
]
FORM = make_form("visit", "1", ROWS)
NEWER = make_form(
    "visit", "2", [*ROWS[1:], ("text", "more"), ("text", "r/y"), ("geopoint", "spot", {"disclosure": "none"})]
)


class Place:
    """A workspace whose pulls are landed and then kept as snapshots, with what each snapshot held."""

    def __init__(self, root: Path) -> None:
        (root / "dialogkit.toml").write_text('[forms.visit]\nfile = "x.xlsx"\n')
        self.workspace = open_workspace(root)
        self.taken: list[tuple[str, dict[str, list[dict[str, object]]]]] = []
        self.editions = 0

    def pull(self, *some, form=FORM, forms=(), hold=None) -> str:
        """Lands one batch; tells a time when it had come and the next one had not."""
        with writing(self.workspace.warehouse) as db:
            batch = write_batch(self.workspace.batches, form, some)
            land_batch(db, batch, *forms, hold=hold)
        return self.moment()

    def moment(self) -> str:
        """Keeps what a snapshot holds now, and the time."""
        path = make_snapshot(self.workspace.warehouse, self.workspace.snapshots)
        at = datetime.now(UTC).isoformat()
        self.taken.append((at, accepted(path)))
        time.sleep(0.01)
        return at

    def edition(self, submission_id: str, said: str = "", form=FORM, answers: Answers | None = None, **facts):
        """The next edition of a submission."""
        self.editions += 1
        answers = {"name": f"Name{said}", "said": said, "r": [{"r/x": f"Row{said}"}]} if answers is None else answers
        instance_id = f"{submission_id}-{self.editions}"
        return received(form, answers, submission_id, instance_id=instance_id, edited=self.editions > 1, **facts)

    def gone(self, submission_id: str):
        return self.edition(submission_id, answers={}, deleted_at="2026-11-21T10:00:00Z")

    def ask(self, at: str, statement: str = "SELECT said FROM accepted.visit ORDER BY 1") -> list[object]:
        return [row[0] if len(row) == 1 else row for row in query(self.workspace, statement, at)[1]]

    def rows(self, statement: str) -> list[dict[str, object]]:
        with writing(self.workspace.warehouse) as db:
            return rows_of(db, statement)


@pytest.fixture
def place(tmp_path) -> Place:
    return Place(tmp_path)


def accepted(path: Path) -> dict[str, list[dict[str, object]]]:
    """Every accepted table of a database file."""
    with duckdb.connect() as db:
        db.execute("SET TimeZone = 'UTC'")
        db.execute(f"ATTACH '{path}' AS it (READ_ONLY)")
        return tables_of(db, "it")


def tables_of(db, name: str) -> dict[str, list[dict[str, object]]]:
    tables = db.execute(
        "SELECT table_name FROM duckdb_tables() WHERE database_name = ? AND schema_name = 'accepted'", [name]
    ).fetchall()
    return {table: sorted(rows_of(db, f'FROM {name}.accepted."{table}"'), key=repr) for (table,) in tables}


def as_it_was(place: Place, at: str) -> dict[str, list[dict[str, object]]]:
    with open_as_of(place.workspace.warehouse, place.workspace.snapshots, time_of(at, datetime.now(UTC))) as db:
        return tables_of(db, "dialogkit")


def without_blanks(tables):
    """Columns and tables that came later are empty in an earlier view."""
    return {
        table: sorted(({name: value for name, value in row.items() if value is not None} for row in rows), key=repr)
        for table, rows in tables.items()
        if rows
    }


# --- what a table was


def test_at_each_time_the_tables_are_those_of_the_snapshot_that_was_made_then(place):
    place.pull(place.edition("uuid:a", "a1"), place.edition("uuid:b", "b1"), place.edition("uuid:c", "c1"))
    place.pull(place.edition("uuid:a", "a2"), place.edition("uuid:d", "d1"), hold={"uuid:d": "RULE-001"})
    place.pull(place.edition("uuid:a", "a2", review_state="approved"), place.gone("uuid:b"))
    place.pull(place.edition("uuid:b", "b1"), place.edition("uuid:c", "c2"), hold={"uuid:c": "RULE-001"})
    with writing(place.workspace.warehouse) as db:
        release(db, "uuid:d", "fine", "me")
    place.moment()
    more = {"said": "a3", "more": "later", "spot": "1 2 0 0", "r": [{"r/x": "x", "r/y": "y"}, {"r/y": "z"}]}
    place.pull(place.edition("uuid:a", form=NEWER, answers=more), form=NEWER, forms=(FORM, NEWER))
    place.pull(place.edition("uuid:c", "c3", form=NEWER), place.gone("uuid:a"), form=NEWER, forms=(FORM, NEWER))
    place.pull(place.edition("uuid:a", form=NEWER, answers=more), form=NEWER, forms=(FORM, NEWER))
    for at, tables in place.taken:
        assert without_blanks(as_it_was(place, at)) == without_blanks(tables), at
    assert len({repr(tables) for _, tables in place.taken}) == len(place.taken) == 8


def test_every_version_is_kept_and_each_ends_when_the_next_begins(place):
    first = place.edition("uuid:a", "a1", review_state="approved")
    place.pull(first)
    place.pull(place.edition("uuid:a", "a2"), hold={"uuid:a": "RULE-001"})
    place.pull(place.gone("uuid:a"))
    place.pull(place.edition("uuid:a", "a3"))
    place.pull(place.edition("uuid:a", answers={"final": "delete"}))
    versions = place.rows("FROM ops.versions ORDER BY valid_from")
    assert [(one["state"], one["review_state"], one["edited"], one["server"]) for one in versions] == [
        ("accepted", "approved", False, "field"),
        ("held", "", True, "field"),
        ("deleted", "", False, "field"),
        ("accepted", "", True, "field"),
        ("refused", "", False, "field"),
    ]
    assert [one["valid_to"] for one in versions] == [*(one["valid_from"] for one in versions[1:]), None]
    assert versions[-1]["reason"] == "the person chose delete"


def test_a_version_holds_from_the_time_of_its_pull(place):
    batch = write_batch(place.workspace.batches, FORM, [place.edition("uuid:a", "a1")])
    time.sleep(0.05)
    with writing(place.workspace.warehouse) as db:
        land_batch(db, batch)
    (version,) = place.rows("FROM ops.versions")
    assert version["valid_from"] == datetime.fromisoformat(batch.manifest.started_at)


def test_the_same_batches_into_a_new_warehouse_give_the_same_history(place):
    for said in ("a1", "a2", "a3"):
        place.pull(place.edition("uuid:a", said))
    with writing(place.workspace.warehouse) as db:
        before = everything(db)
    place.workspace.warehouse.unlink()
    from dialogkit.pull.batches import batches, open_batch

    with writing(place.workspace.warehouse) as db:
        for path in batches(place.workspace.batches, "visit"):
            land_batch(db, open_batch(path))
        assert everything(db) == before
    assert len(before["history.visit"]) == 2


def test_a_version_never_ends_before_it_begins_when_the_clock_goes_back(place, db):
    place.pull(place.edition("uuid:a", "a1"))
    with writing(place.workspace.warehouse) as warehouse:
        warehouse.execute("UPDATE ops.version_rows SET valid_from = now() + INTERVAL 1 DAY")
    place.pull(place.edition("uuid:a", "a2"))
    place.pull(place.edition("uuid:a", "a3"))
    found = place.rows("FROM ops.versions") + place.rows(
        "SELECT _valid_from AS valid_from, _valid_to AS valid_to FROM history.visit"
    )
    assert len(found) == 5
    assert all(one["valid_to"] is None or one["valid_to"] >= one["valid_from"] for one in found)


def test_a_pull_of_what_is_known_adds_no_version(place):
    one = place.edition("uuid:a", "a1")
    place.pull(one)
    place.pull(one)
    assert len(place.rows("FROM ops.versions")) == 1
    assert place.rows("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'history'") == []


def test_a_question_may_have_the_name_of_a_column_of_the_history(place):
    form = make_form("visit", "1", [("text", "_valid_from"), ("text", "_VALID_TO")])
    for said in ("one", "two"):
        place.pull(place.edition("uuid:a", form=form, answers={"_valid_from": said, "_VALID_TO": said}), form=form)
    assert place.rows("SELECT _valid_from__2, _VALID_TO__2 FROM history.visit") == [
        {"_valid_from__2": "one", "_VALID_TO__2": "one"}
    ]


def test_a_dropped_submission_was_held_until_then(place):
    before = place.pull(place.edition("uuid:a", "a1"), hold={"uuid:a": "RULE-001"})
    with writing(place.workspace.warehouse) as db:
        drop(db, "uuid:a", "a test", "me")
    after = place.moment()
    states = "SELECT state FROM ops.received"
    assert (place.ask(before, states), place.ask(after, states)) == (["held"], ["dropped"])


# --- books and findings of that time


def test_counts_runs_drift_and_concepts_are_those_of_the_time(place):
    early = place.pull(place.edition("uuid:a", answers={"said": "a1", "new": "drifts"}))
    late = place.pull(place.edition("uuid:b", answers={"said": "b1", "new": "drifts"}), place.edition("uuid:c", "c1"))
    assert place.ask(early, "SELECT state, n FROM ops.received") == [("accepted", 1)]
    assert place.ask(late, "SELECT state, n FROM ops.received") == [("accepted", 3)]
    assert place.ask(early, "SELECT count(*) FROM ops.runs") == [1]
    assert place.ask(early, "SELECT path, n FROM ops.drift") == [("new", 1)]
    assert place.ask(late, "SELECT path, n FROM ops.drift") == [("new", 2)]
    assert place.ask(late, "SELECT path, kind, n FROM ops.issues") == []
    assert place.ask(early, "SELECT count(*) FROM concepts.raw_records") == [1]
    assert place.ask(early, "SELECT count(*) > 0 FROM findings.about") == [True]
    comment = "SELECT comment FROM duckdb_columns() WHERE schema_name = 'accepted' AND column_name = 'said'"
    assert place.ask(early, comment) == ["Label of said"]


# --- privacy


@pytest.mark.parametrize("last", ["edit", "server"])
def test_who_refuses_loses_every_earlier_answer_too(place, last):
    first = place.pull(place.edition("uuid:a", "Zebracorn"), place.edition("uuid:b", "Quokka"))
    place.pull(place.edition("uuid:a", "Zebracorn2"), place.edition("uuid:b", "Quokka2"))
    refused = (
        place.edition("uuid:a", answers={"said": "Zebracorn3", "final": "delete"})
        if last == "edit"
        else place.edition("uuid:a", answers={}, refused="no consent")
    )
    place.pull(refused)
    with writing(place.workspace.warehouse) as db:
        found = repr(everything(db))
    assert "Zebracorn" not in found
    assert "Quokka2" in found
    assert [
        row["content"] for row in place.rows("FROM ops.versions WHERE submission_id = 'uuid:a' AND valid_to NOTNULL")
    ] == [None, None]
    assert place.ask(first) == ["Quokka"]
    assert place.ask(first, "SELECT state, n FROM ops.received") == [("accepted", 1)]
    now = place.moment()
    assert place.ask(now, "SELECT state, reason, n FROM ops.received ORDER BY 1") == [
        ("accepted", "", 1),
        ("refused", "no consent" if last == "server" else "the person chose delete", 1),
    ]


def test_identifiers_of_replaced_versions_are_kept_nowhere(place):
    place.pull(place.edition("uuid:a", answers={"name": "Zebracorn", "said": "a1"}))
    place.pull(place.edition("uuid:a", answers={"name": "Quokka", "said": "a2"}))
    with writing(place.workspace.warehouse) as db:
        found = everything(db)
    assert "Zebracorn" not in repr(found)
    assert "a1" in repr(found["history.visit"])


def test_a_held_version_that_is_replaced_is_kept_as_a_row_only(place):
    place.pull(place.edition("uuid:a", "Zebracorn"), hold={"uuid:a": "RULE-001"})
    place.pull(place.edition("uuid:a", "Quokka"))
    with writing(place.workspace.warehouse) as db:
        assert "Zebracorn" not in repr(everything(db))
    assert [row["state"] for row in place.rows("FROM ops.versions ORDER BY valid_from")] == ["held", "accepted"]


def test_no_earlier_answer_is_in_any_file_for_readers(place):
    early = place.pull(place.edition("uuid:a", "Zebracorn"), place.edition("uuid:b", "Wombat"))
    place.pull(place.edition("uuid:a", "Quokka"), place.gone("uuid:b"))
    for path in place.workspace.snapshots.glob("*.duckdb"):
        if path != max(place.workspace.snapshots.glob("*.duckdb")):
            path.unlink()  # those of the time when it was the current answer
    assert place.ask(early) == ["Wombat", "Zebracorn"]
    data = b"".join(path.read_bytes() for path in place.workspace.snapshots.rglob("*") if path.is_file())
    assert b"Quokka" in data
    assert b"Zebracorn" not in data
    assert b"Wombat" not in data
    (path,) = place.workspace.snapshots.glob("*.duckdb")
    with duckdb.connect(str(path), read_only=True) as db:
        assert db.execute("SELECT 1 FROM duckdb_schemas() WHERE schema_name = 'history'").fetchall() == []


def test_a_question_that_is_an_identifier_now_was_one_then_too(place):
    early = place.pull(place.edition("uuid:a", "Zebracorn"))
    place.pull(place.edition("uuid:a", "Quokka"))
    classed = make_form("visit", "2", [("text", "said", {"disclosure": "direct"}), *ROWS[2:], ("text", "added")])
    answers = {"said": "Wombat", "added": "x", "age": "4"}
    place.pull(place.edition("uuid:a", form=classed, answers=answers), form=classed, forms=(FORM, classed))
    with writing(place.workspace.warehouse) as db:
        assert "'Zebracorn'" not in repr(everything(db))
        assert "'Quokka'" not in repr(everything(db))
    assert place.ask(early, "SELECT r.x FROM accepted.visit__r r") == ["RowZebracorn"]
    with pytest.raises(WarehouseError, match="said"):
        place.ask(early)


# --- all or nothing


def test_a_failure_leaves_the_history_as_it_was(place, monkeypatch):
    place.pull(place.edition("uuid:a", "a1"))
    place.pull(place.edition("uuid:a", "a2"))
    with writing(place.workspace.warehouse) as db:
        before = everything(db)

    def fails(*_: object) -> None:
        raise ValueError("the last step fails")

    edits = place.edition("uuid:a", "a3"), place.edition("uuid:b", "b1")
    with monkeypatch.context() as patch, pytest.raises(ValueError, match="last step"):
        patch.setattr(loading, "_write_run", fails)
        place.pull(*edits)
    with writing(place.workspace.warehouse) as db:
        assert everything(db) == before
    place.pull(*edits)
    assert [row["said"] for row in place.rows("SELECT said FROM history.visit ORDER BY 1")] == ["a1", "a2"]


KILLED = """
import os, signal, sys
from pathlib import Path
from dialogkit.pull.batches import open_batch
from dialogkit.warehouse import load
from dialogkit.warehouse.connect import writing
from tests.builders import land_batch
def die(*_): os.kill(os.getpid(), signal.SIGKILL)
setattr(load, sys.argv[3], die)
with writing(Path(sys.argv[2])) as db:
    land_batch(db, open_batch(Path(sys.argv[1])))
"""


@pytest.mark.parametrize("where", ["drop_rows", "_write_run"])
def test_a_kill_in_the_middle_leaves_both_accepted_and_history_as_they_were(place, where):
    place.pull(place.edition("uuid:a", "a1"))
    place.pull(place.edition("uuid:a", "a2"))
    with writing(place.workspace.warehouse) as db:
        before = everything(db)
    batch = write_batch(place.workspace.batches, FORM, [place.edition("uuid:a", "a3")])
    command = [sys.executable, "-c", KILLED, str(batch.folder), str(place.workspace.warehouse), where]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], env=os.environ, capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL
    with writing(place.workspace.warehouse) as db:
        assert everything(db) == before
        land_batch(db, batch)
        assert [row["said"] for row in rows_of(db, "SELECT said FROM history.visit ORDER BY 1")] == ["a1", "a2"]


# --- a warehouse from before


OLD_BATCH = "20260101T000000000000Z-00000000"


def old_warehouse(place: Place) -> datetime:
    """Two submissions landed an hour ago by a dialogkit without history."""
    landed = datetime.now(UTC) - timedelta(hours=1)
    place.workspace.warehouse.parent.mkdir(parents=True, exist_ok=True)
    with new_file(place.workspace.warehouse) as db:
        db.execute((bundled("warehouse/migrations") / "001_first.sql").read_text())
        db.execute("CREATE TABLE main.migrations (name VARCHAR NOT NULL, applied_at TIMESTAMPTZ NOT NULL)")
        db.execute("INSERT INTO main.migrations VALUES ('001_first.sql', now())")
        run = "INSERT INTO ops.runs SELECT $batch, 'visit', 'field', 'server', $landed, 2, 2, 0, 0, 0, 0"
        for at in (landed, datetime.now(UTC)):
            db.execute(run, {"batch": OLD_BATCH, "landed": at})
        one = (
            "INSERT INTO ops.submissions "
            "SELECT $id, 'visit', $edition, 'hash', '1', now(), 'server', 'deleted', '', $batch"
        )
        for name, edition in (("uuid:a", "uuid:a"), ("uuid:b", "uuid:later")):
            db.execute(one, {"batch": OLD_BATCH, "id": name, "edition": edition})
    return landed


def test_a_warehouse_from_before_gets_a_row_for_each_submission(place):
    landed = old_warehouse(place)
    rows = place.rows("FROM ops.versions ORDER BY submission_id")
    assert [(row["submission_id"], row["edited"], row["server"], row["valid_to"]) for row in rows] == [
        ("uuid:a", False, "field", None),
        ("uuid:b", True, "field", None),
    ]
    assert {row["valid_from"] for row in rows} == {landed}
    place.pull(place.edition("uuid:a", "a2"))
    states = place.rows("SELECT state FROM ops.versions WHERE submission_id = 'uuid:a' ORDER BY valid_from")
    assert states == [{"state": "deleted"}, {"state": "accepted"}]


def test_warehouse_033_a_warehouse_from_before_has_no_history_yet(place):
    old_warehouse(place)
    with pytest.raises(WarehouseError, match="WAREHOUSE-033") as caught:
        place.ask("2026-11-01")
    assert "dialogkit land" in caught.value.fix


# --- the time that is asked for


@pytest.mark.parametrize(
    "text",
    ["yesterday", "2026-13-01", "2026-10-01T12:00:00", "20261001", "2026-10-01 ", "", "0001-01-01T00:00:00+14:00"],
)
def test_warehouse_030_what_is_no_time_is_explained(text):
    with pytest.raises(WarehouseError) as caught:
        time_of(text, datetime.now(UTC))
    assert caught.value.code == "WAREHOUSE-030"
    assert "2026-10-01T12:00:00Z" in caught.value.fix


def test_a_date_is_the_end_of_that_day_in_utc_and_today_is_now():
    now = datetime(2026, 10, 2, 8, tzinfo=UTC)
    assert time_of("2026-10-01", now) == datetime(2026, 10, 1, 23, 59, 59, 999999, UTC)
    assert time_of("2026-10-02", now) == datetime(2026, 10, 2, 23, 59, 59, 999999, UTC)
    assert time_of("2026-10-02T09:59:00+02:00", now) == datetime(2026, 10, 2, 7, 59, tzinfo=UTC)


@pytest.mark.parametrize("text", ["2026-10-03", "2026-10-02T08:00:01Z", "2026-10-02T08:30:00-01:00"])
def test_warehouse_031_a_time_to_come_is_refused(text):
    with pytest.raises(WarehouseError, match="WAREHOUSE-031"):
        time_of(text, datetime(2026, 10, 2, 8, tzinfo=UTC))


def test_warehouse_032_before_the_first_landing_there_is_nothing(place):
    place.pull(place.edition("uuid:a", "a1"))
    with pytest.raises(WarehouseError, match="WAREHOUSE-032"):
        place.ask("2020-01-01")


def test_without_a_warehouse_there_is_no_history(place):
    with pytest.raises(WarehouseError, match="WAREHOUSE-001"):
        place.ask("2026-11-01")


# --- the folder of a query


def test_a_query_of_the_past_leaves_no_file_and_reaches_no_other(place, tmp_path):
    at = place.pull(place.edition("uuid:a", "a1"))
    before = place.workspace.warehouse.read_bytes()
    for statement in (
        f"ATTACH '{place.workspace.warehouse}'",
        "DELETE FROM accepted.visit",
        f"COPY accepted.visit TO '{tmp_path}/out.csv'",
        "SELECT * FROM source.history.visit",
    ):
        with pytest.raises(WarehouseError, match="WAREHOUSE-010"):
            place.ask(at, statement)
    assert place.workspace.warehouse.read_bytes() == before
    assert not (tmp_path / "out.csv").exists()
    folder = place.workspace.snapshots / FOLDER
    assert [path.name for path in folder.iterdir() if path.is_dir()] == []
    assert folder.stat().st_mode & 0o077 == 0


def test_what_a_killed_query_left_is_swept_and_what_runs_is_not(place):
    at = place.pull(place.edition("uuid:a", "a1"))
    left = place.workspace.snapshots / FOLDER / "0123456789abcdef"
    left.mkdir(parents=True)
    (left / "as-of.duckdb").write_bytes(b"Zebracorn")
    with open_as_of(place.workspace.warehouse, place.workspace.snapshots, datetime.now(UTC)) as running:
        assert not left.exists()
        assert place.ask(at) == ["a1"]
        make_snapshot(place.workspace.warehouse, place.workspace.snapshots)
        assert running.execute("SELECT said FROM accepted.visit").fetchall() == [("a1",)]
