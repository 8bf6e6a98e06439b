"""Loading: one transaction, merged on submission id, nothing lost, nothing doubled."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from dialogkit.errors import WarehouseError
from dialogkit.model.batch import SOURCES
from dialogkit.normalize.schema import tables_of
from dialogkit.normalize.sources import stage_sources
from dialogkit.normalize.staging import unstage
from dialogkit.pull.batches import Batch, batches, open_batch
from dialogkit.warehouse import load as loading
from dialogkit.warehouse.connect import writing
from dialogkit.warehouse.ddl import refresh_codebook, standing
from dialogkit.warehouse.load import has_landed, load
from tests.builders import (
    everything,
    judge,
    land_batch,
    make_form,
    received,
    report_of,
    rows_of,
    stage_batch,
    write_batch,
)

ROWS = [
    ("text", "name", {"disclosure": "direct", "labels": {"": 'Who\'s "there"?'}}),
    ("integer", "age"),
    ("repeat", "child"),
    ("text", "child/name", {"disclosure": "direct"}),
    ("select_multiple", "child/likes", {"choices": ["a", "b"]}),
    ("repeat", "child/toy"),
    ("text", "child/toy/kind"),
    ("image", "photo"),
    ("select_one", "final", {"concept": "consent.final_choice", "choices": ["keep", "delete"]}),
]
FORM = make_form("visit", "1", ROWS)
WHOLE = {
    "name": "Amina",
    "age": "4",
    "child": [
        {"child/name": "Bo", "child/likes": "b a", "child/toy": [{"child/toy/kind": "car"}]},
        {"child/likes": "a"},
    ],
}


def batch_of(tmp_path, *some, **facts) -> Batch:
    return write_batch(tmp_path / "batches", FORM, some, **facts)


def counts(landed):
    return {name: value for name, value in landed.as_dict().items() if isinstance(value, int) and value}


def count(db, table):
    return db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def test_answers_stand_in_accepted_and_identifiers_in_their_own_schema_only(db, tmp_path):
    landed = land_batch(db, batch_of(tmp_path, WHOLE))
    assert counts(landed) == {"pulled": 1, "accepted": 1}
    (main,) = rows_of(db, "FROM accepted.visit")
    assert (main["age"], main["_submission_id"], "name" in main) == (4, "uuid:1", False)
    assert rows_of(db, "SELECT _row, likes FROM accepted.visit__child ORDER BY 1") == [
        {"_row": "1", "likes": ["b", "a"]},
        {"_row": "2", "likes": ["a"]},
    ]
    assert rows_of(db, "SELECT _row, _parent_row, kind FROM accepted.visit__toy") == [
        {"_row": "1/1", "_parent_row": "1", "kind": "car"}
    ]
    assert rows_of(db, "SELECT _submission_id, _row, name FROM identifiers.visit") == [
        {"_submission_id": "uuid:1", "_row": "", "name": "Amina"}
    ]
    assert rows_of(db, "SELECT _row, name FROM identifiers.visit__child") == [{"_row": "1", "name": "Bo"}]
    accepted = {name: rows for name, rows in everything(db).items() if name.startswith("accepted.")}
    assert "Amina" not in repr(accepted)
    assert "Bo" not in repr(accepted)
    comment = (
        "SELECT comment FROM duckdb_columns() WHERE table_name = 'visit' AND column_name = 'name' AND schema_name = "
    )
    assert db.execute(comment + "'identifiers'").fetchone() == ('Who\'s "there"?',)


def test_the_same_batch_landed_twice_changes_nothing(db, tmp_path):
    batch = batch_of(tmp_path, WHOLE, {"age": "x", "unknown": "y"}, {"final": "delete"})
    first = land_batch(db, batch, hold={"uuid:2": "RULE-001"})
    assert counts(first) == {"pulled": 3, "accepted": 1, "held": 1, "refused": 1}
    before = everything(db)
    again = land_batch(db, batch, hold={"uuid:2": "RULE-001"})
    assert counts(again) == {"pulled": 3, "already_known": 3}
    after = everything(db)
    assert {name for name in before if before[name] != after[name]} <= {"ops.runs", "ops.rule_results"}


def test_the_same_submissions_in_another_batch_change_nothing(db, tmp_path):
    land_batch(db, batch_of(tmp_path, WHOLE))
    before = everything(db)
    landed = land_batch(db, batch_of(tmp_path, WHOLE))
    assert counts(landed) == {"pulled": 1, "already_known": 1}
    assert {name for name, rows in everything(db).items() if rows != before[name]} <= {"ops.runs", "ops.rule_results"}


def test_an_edit_replaces_its_earlier_self_everywhere(db, tmp_path):
    old = received(
        FORM, WHOLE | {"age": "old", "new": "drifts", "photo": "a.jpg"}, instance_id="uuid:1", files=["a.jpg"]
    )
    land_batch(db, batch_of(tmp_path, old, content={"a.jpg": b"1"}), hold={"uuid:1": "RULE-001"})
    assert [count(db, f"ops.{book}") for book in ("issues", "drift", "violations", "attachments")] == [1, 1, 1, 1]
    edit = received(FORM, {"age": "5", "child": [{"child/likes": "b"}]}, instance_id="uuid:1b", edited=True)
    assert counts(land_batch(db, batch_of(tmp_path, edit))) == {"pulled": 1, "accepted": 1}
    assert [count(db, f"ops.{book}") for book in ("issues", "drift", "violations", "attachments")] == [0, 0, 0, 0]
    assert rows_of(db, "SELECT age, _edited FROM accepted.visit") == [{"age": 5, "_edited": True}]
    assert (count(db, "accepted.visit__child"), count(db, "accepted.visit__toy")) == (1, 0)
    assert (count(db, "held.visit"), count(db, "held.visit__child"), count(db, "held.visit__toy")) == (0, 0, 0)
    assert (count(db, "identifiers.visit"), count(db, "identifiers.visit__child")) == (0, 0)
    assert rows_of(db, "SELECT submission_id, instance_id, state FROM ops.submissions") == [
        {"submission_id": "uuid:1", "instance_id": "uuid:1b", "state": "accepted"}
    ]


def test_an_older_batch_that_is_landed_later_does_not_win(db, tmp_path):
    older = batch_of(tmp_path, received(FORM, {"age": "1"}, instance_id="uuid:1"))
    newer = batch_of(tmp_path, received(FORM, {"age": "2"}, instance_id="uuid:1b", edited=True))
    land_batch(db, newer)
    assert counts(land_batch(db, older)) == {"pulled": 1, "already_known": 1}
    assert rows_of(db, "SELECT age FROM accepted.visit") == [{"age": 2}]


def test_of_one_id_twice_in_a_batch_the_last_counts(db, tmp_path):
    some = [received(FORM, {"age": str(n)}, instance_id=f"uuid:1-{n}") for n in range(3)]
    assert counts(land_batch(db, batch_of(tmp_path, *some))) == {"pulled": 3, "accepted": 1, "already_known": 2}
    assert rows_of(db, "SELECT age FROM accepted.visit") == [{"age": 2}]


@pytest.mark.parametrize("held", [False, True])
def test_a_deleted_submission_goes_from_every_table_but_the_history(db, tmp_path, held):
    land_batch(db, batch_of(tmp_path, WHOLE | {"age": "x"}), hold={"uuid:1": "RULE-001"} if held else None)
    gone = received(FORM, {}, deleted_at="2026-11-21T10:00:00Z")
    assert counts(land_batch(db, batch_of(tmp_path, gone))) == {"pulled": 1, "deleted": 1}
    left = {name: rows for name, rows in everything(db).items() if "uuid:1" in repr(rows)}
    # What had been accepted stays in the history, which no reader sees (test_history.py); identifiers go.
    kept = set() if held else {"history.visit", "history.visit__child", "history.visit__toy"}
    assert set(left) == {"ops.version_rows"} | kept
    assert "Amina" not in repr(everything(db))


def test_a_refusal_that_comes_later_takes_the_answers_away(db, tmp_path):
    land_batch(db, batch_of(tmp_path, WHOLE))
    refused = received(FORM, WHOLE | {"final": "delete"}, instance_id="uuid:1b", edited=True)
    assert counts(land_batch(db, batch_of(tmp_path, refused))) == {"pulled": 1, "refused": 1}
    assert "Amina" not in repr(everything(db))
    assert rows_of(db, "SELECT reason, n FROM ops.refused") == [{"reason": "the person chose delete", "n": 1}]


def test_a_new_version_adds_columns_and_takes_none_away(db, tmp_path):
    land_batch(db, batch_of(tmp_path, WHOLE))
    new = make_form(
        "visit",
        "2",
        [
            *ROWS[2:],
            ("text", "g/age"),
            ("text", "more", {"labels": {"": "More"}}),
            ("repeat", "g/child"),
            ("text", "g/child/x"),
        ],
    )
    some = received(new, {"g/age": "five", "more": "M", "child": [{}], "g/child": [{"g/child/x": "y"}]}, "uuid:2")
    land_batch(db, write_batch(tmp_path / "batches", new, [some]), FORM, new)
    assert rows_of(db, "SELECT _submission_id, age, g__age, more FROM accepted.visit ORDER BY 1") == [
        {"_submission_id": "uuid:1", "age": 4, "g__age": None, "more": None},
        {"_submission_id": "uuid:2", "age": None, "g__age": "five", "more": "M"},
    ]
    assert (count(db, "accepted.visit__child"), count(db, "accepted.visit__g__child")) == (3, 1)
    assert db.execute("SELECT column_name FROM ops.columns WHERE path = 'age'").fetchall() == [("age",)]
    assert db.execute("SELECT version FROM ops.forms ORDER BY position").fetchall() == [("1",), ("2",)]
    assert {row["choice"] for row in rows_of(db, "FROM ops.choices")} == {"a", "b", "keep", "delete"}


def test_sources_are_those_of_what_was_loaded(db, tmp_path):
    path = tmp_path / "sources.json"
    path.write_text(
        '[{"row": "", "path": "age", "how": "stated", "coded_by": "us", "source_sentence": "S", "source_ref": "P"}]'
    )
    batch = batch_of(
        tmp_path,
        received(FORM, {"age": "1"}, origin="import", files=[SOURCES]),
        origin="import",
        content={SOURCES: b"[]"},
    )
    for _ in range(2):
        staged = stage_batch(db, batch)
        judge(db, staged, {})
        attached = db.execute("SELECT submission_id FROM stage_attachments WHERE name = ?", [SOURCES]).fetchall()
        stage_sources(db, [(submission_id, path) for (submission_id,) in attached])
        load(db, staged, batch.manifest, report_of({}))
        unstage(db)
    assert rows_of(db, "SELECT * EXCLUDE (submission_id, form_id) FROM ops.sources") == [
        {"row": "", "path": "age", "how": "stated", "coded_by": "us", "source_sentence": "S", "source_ref": "P"}
    ]


def test_a_failure_takes_everything_back(db, tmp_path, monkeypatch):
    land_batch(db, batch_of(tmp_path, WHOLE))
    before = everything(db)
    batch = batch_of(
        tmp_path, received(FORM, {"age": "9"}, instance_id="uuid:1b"), received(FORM, {"age": "1"}, "uuid:2")
    )

    def fails(*_: object) -> None:
        raise ValueError("the last step fails")

    with monkeypatch.context() as patch, pytest.raises(ValueError, match="last step"):
        patch.setattr(loading, "_write_run", fails)
        land_batch(db, batch)
    assert everything(db) == before
    assert not has_landed(db, batch.manifest.batch_id)
    assert counts(land_batch(db, batch)) == {"pulled": 2, "accepted": 2}


def test_warehouse_007_counts_that_do_not_balance_load_nothing(db, tmp_path):
    batch = batch_of(tmp_path, WHOLE, {"age": "2"})
    staged = stage_batch(db, batch)
    judge(db, staged, {})
    db.execute("DELETE FROM stage_decision WHERE submission_id = 'uuid:2'")
    with pytest.raises(WarehouseError) as caught:
        load(db, staged, batch.manifest, report_of({}))
    assert (caught.value.code, caught.value.where) == ("WAREHOUSE-007", f"batch {batch.manifest.batch_id}")
    assert caught.value.fix == "This is a defect of dialogkit: send us these counts."
    assert count(db, "ops.submissions") == 0


def test_a_question_may_have_the_name_of_a_column_of_ours(db, tmp_path):
    form = make_form(
        "odd", "1", [("text", "_row", {"disclosure": "direct"}), ("text", "_submission_id"), ("text", "select")]
    )
    land_batch(db, write_batch(tmp_path, form, [{"_row": "A", "_submission_id": "B", "select": "C"}]))
    assert rows_of(db, 'SELECT _submission_id__2, "select" FROM accepted.odd') == [
        {"_submission_id__2": "B", "select": "C"}
    ]
    assert rows_of(db, "SELECT _row, _row__2 FROM identifiers.odd") == [{"_row": "", "_row__2": "A"}]


# --- kill -9

LANDER = """
import sys
from pathlib import Path
from dialogkit.pull.batches import batches, open_batch
from dialogkit.warehouse.connect import writing
from dialogkit.warehouse.load import has_landed
from tests.builders import land_batch
print("began", flush=True)
with writing(Path(sys.argv[2])) as db:
    for path in batches(Path(sys.argv[1]), "visit"):
        if not has_landed(db, path.name):
            land_batch(db, open_batch(path), hold={"uuid:3": "RULE-001"})
"""


def lander(folder, warehouse):
    root = Path(__file__).parents[2]
    return subprocess.Popen([sys.executable, "-c", LANDER, folder, warehouse], cwd=root, stdout=subprocess.PIPE)


def content_of(path):
    with writing(path) as db:
        found = everything(db)
    del found["ops.rule_results"]
    del found["ops.runs"]  # tells how often a batch was tried, beside what came of it
    return found


def test_a_landing_that_is_killed_again_and_again_ends_as_one_that_was_not(tmp_path):
    folder = tmp_path / "batches"
    for edition in range(3):
        some = [
            received(
                FORM, WHOLE | {"age": str(edition), f"drift{n}": "x"}, f"uuid:{n}", instance_id=f"uuid:{n}-{edition}"
            )
            for n in range(200)
        ]
        write_batch(folder, FORM, some)
    assert len([open_batch(path) for path in batches(folder, "visit")]) == 3
    began = time.monotonic()
    assert lander(folder, tmp_path / "calm.duckdb").wait() == 0
    longest = time.monotonic() - began
    luck, kills = random.Random(7), 0
    while kills < 10:
        process = lander(folder, tmp_path / "killed.duckdb")
        process.stdout.readline()
        try:
            process.wait(timeout=luck.uniform(0.01, 0.5) * longest)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
        if process.returncode == 0:  # all landed: begin anew, so that every kill falls into work
            assert content_of(tmp_path / "killed.duckdb") == content_of(tmp_path / "calm.duckdb")
            for path in tmp_path.glob("killed.duckdb*"):
                path.unlink()
        else:
            kills += 1
    assert lander(folder, tmp_path / "killed.duckdb").wait() == 0
    assert content_of(tmp_path / "killed.duckdb") == content_of(tmp_path / "calm.duckdb")


def test_a_reader_of_a_warehouse_that_was_killed_early_is_told_that_there_is_none(tmp_path):
    from dialogkit.warehouse.connect import reading

    duckdb.connect(str(tmp_path / "w.duckdb")).close()
    with pytest.raises(WarehouseError, match="WAREHOUSE-001"), reading(tmp_path / "w.duckdb"):
        raise AssertionError("must not open")


def test_answers_of_a_question_that_is_an_identifier_only_now_leave_accepted(db, tmp_path):
    before = make_form("spot", "1", [("text", "who", {"disclosure": "none"}), ("text", "what")])
    land_batch(db, write_batch(tmp_path, before, [{"who": "Amina", "what": "x"}]))
    now = make_form("spot", "1", [("text", "who", {"disclosure": "direct"}), ("text", "what")])
    for _ in range(2):
        refresh_codebook(db, tables_of([now], standing(db, "spot")), {"1": now})
    assert rows_of(db, "SELECT who, what FROM accepted.spot") == [{"who": None, "what": "x"}]
    assert rows_of(db, "SELECT who FROM identifiers.spot") == [{"who": "Amina"}]
    assert db.execute("SELECT disclosure FROM ops.columns WHERE column_name = 'who'").fetchall() == [("direct",)]
