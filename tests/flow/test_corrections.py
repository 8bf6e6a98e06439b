"""Corrections: replayed on every landing, taken back cleanly, and flagged when the source has changed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dialogkit import files
from dialogkit.correct.ledger import append, changing, new_id, now, read_ledger
from dialogkit.model.correction import REMOVED, Entry
from dialogkit.pull.batches import batches, open_batch
from dialogkit.steps import land as landing
from dialogkit.steps.land import land
from dialogkit.steps.rebuild import rebuild
from dialogkit.warehouse import load
from dialogkit.warehouse.as_of import open_as_of, time_of
from dialogkit.warehouse.connect import writing
from dialogkit.warehouse.held import release
from dialogkit.warehouse.snapshot import make_snapshot
from dialogkit.workspace import open_workspace
from tests.accounting import account
from tests.builders import make_form, received, rows_of, write_batch

FORM = make_form(
    "visit",
    "1",
    [
        ("text", "said"),
        ("integer", "g/age"),
        ("text", "g/more"),
        ("select_one", "kind", {"choices": ["a", "b"], "required": "yes"}),
        ("select_one", "agreed", {"choices": ["yes", "no"], "concept": "consent.record"}),
        ("text", "name", {"disclosure": "direct"}),
        ("repeat", "r"),
        ("text", "r/x"),
        ("repeat", "r/s"),
        ("integer", "r/s/y"),
    ],
)
ROWS = [{"r/x": "one", "r/s": [{"r/s/y": "1"}, {"r/s/y": "2"}]}, {"r/x": "two"}]
ANSWERS = {"said": "hello", "g/age": "12", "kind": "a", "agreed": "yes", "name": "Ana", "r": ROWS}


class Place:
    """A workspace whose server is a list of submissions, and the ledger of its form."""

    def __init__(self, root: Path) -> None:
        (root / "dialogkit.toml").write_text('[forms.visit]\nfile = "x.xlsx"\n')
        self.workspace = open_workspace(root)
        self.editions = 0

    @property
    def ledger(self) -> Path:
        return self.workspace.corrections / "visit.csv"

    def pull(self, answers: Mapping[str, Any] | None = None, submission_id: str = "uuid:1", **facts: Any) -> None:
        """One edition comes from the server and is landed; its answers are `ANSWERS` unless given."""
        self.editions += 1
        given = ANSWERS if answers is None else answers
        edition = received(FORM, given, submission_id, instance_id=f"{submission_id}-{self.editions}", **facts)
        write_batch(self.workspace.batches, FORM, [edition])
        self.land()

    def land(self):
        return land(self.workspace)

    def correct(self, question: str, old: str, new: str, **facts: str) -> str:
        """Add an entry as the commands do; gives its id."""
        entry = Entry(
            "uuid:1", question, "typing error", old, new, "change_response", "", "me", now(), "asked again", "", ""
        )
        entry = replace(entry, id=new_id([]), **facts)
        with changing(self.ledger.parent):
            append(self.ledger, [entry])
        return entry.id

    def undo(self, entry_id: str) -> str:
        return self.correct("", "", "", undoes=entry_id, change_type="no_action")

    def rows(self, statement: str) -> list[dict[str, Any]]:
        with writing(self.workspace.warehouse) as db:
            return rows_of(db, statement)

    def one(self, column: str, table: str = "accepted.visit") -> list[Any]:
        return [row["it"] for row in self.rows(f"SELECT {column} AS it FROM {table} ORDER BY 1")]

    def state(self, entry_id: str) -> str:
        (found,) = self.one("state", f"(FROM ops.corrections WHERE id = '{entry_id}')")
        return found

    def submission(self, submission_id: str = "uuid:1") -> str:
        (found,) = self.one("state", f"(FROM ops.submissions WHERE submission_id = '{submission_id}')")
        return found

    def tables(self) -> dict[str, list[tuple[str, ...]]]:
        """Every row of every table of answers."""
        with writing(self.workspace.warehouse) as db:
            return tables_of(db)


def tables_of(db) -> dict[str, list[tuple[str, ...]]]:
    names = db.execute(
        "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = current_database() "
        "AND schema_name IN ('accepted', 'held', 'identifiers') ORDER BY ALL"
    ).fetchall()
    found = {
        f"{schema}.{table}": sorted(tuple(map(repr, row.items())) for row in rows_of(db, f'FROM {schema}."{table}"'))
        for schema, table in names
    }
    return {name: rows for name, rows in found.items() if rows}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture(scope="module")
def pulled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A place after its first pull."""
    first = Place(tmp_path_factory.mktemp("pulled"))
    first.pull()
    return first.workspace.root


@pytest.fixture
def landed(pulled: Path, tmp_path: Path) -> Place:
    """A copy of it."""
    shutil.copytree(pulled, tmp_path, dirs_exist_ok=True)
    copied = Place(tmp_path)
    copied.editions = 1
    return copied


# --- replayed


def test_a_correction_made_before_a_landing_is_in_it(place):
    one = place.correct("said", "hello", "good day")
    place.pull()
    assert place.one("said") == ["good day"]
    assert place.state(one) == "applied"


def test_a_correction_of_what_landed_long_ago_takes_effect_at_the_next_landing_without_a_batch(landed):
    one = landed.correct("g/age", "12", "21")
    (again,) = landed.land()
    assert landed.one("age") == [21]
    assert landed.state(one) == "applied"
    assert (again.again, again.pulled, again.accepted) == (True, 1, 1)
    assert landed.land() == []


def test_it_stays_in_rows_of_repeats_and_in_identifiers(landed):
    landed.correct("r/x", "two", "three", row="2")
    landed.correct("r/s/y", "2", "5", row="1/2")
    landed.correct("name", "Ana", "Anna")
    landed.land()
    assert landed.one("x", "accepted.visit__r") == ["one", "three"]
    assert landed.one("y", "accepted.visit__s") == [1, 5]
    assert landed.one("name", "identifiers.visit") == ["Anna"]


def test_an_answer_that_nobody_in_the_batch_gave_gets_its_column(landed):
    one = landed.correct("g/more", "", "added")
    two = landed.correct("r/s/y", "", "7", row="2/1")
    landed.land()
    assert landed.one("more", "held.visit") == ["added"]
    assert (landed.state(one), landed.state(two)) == ("applied", "no place")


def test_a_blank_and_a_change_of_nothing(landed):
    landed.correct("said", "hello", "", change_type="blank_response")
    kept = landed.correct("g/age", "12", "", change_type="no_action")
    landed.land()
    assert (landed.one("said"), landed.one("age")) == ([None], [12])
    assert landed.state(kept) == "kept"


def test_a_correction_survives_ten_pulls(landed):
    landed.correct("said", "hello", "good day")
    for number in range(10):
        landed.pull({**ANSWERS, "g/age": str(number)})
        assert (landed.one("said"), landed.one("age")) == (["good day"], [number])
    assert landed.one("state", "ops.corrections") == ["applied"]


def test_two_corrections_of_one_answer_are_a_chain(landed):
    one, two = landed.correct("said", "hello", "b"), landed.correct("said", "b", "c")
    landed.land()
    assert landed.one("said") == ["c"]
    landed.pull({**ANSWERS, "said": "b"})
    assert landed.one("said") == ["c"]
    assert (landed.state(one), landed.state(two)) == ("at the source", "applied")


# --- taken back


def test_an_undone_correction_leaves_every_table_as_it_was(landed):
    before = landed.tables()
    one, two = landed.correct("said", "hello", "good day"), landed.correct("r/x", "one", "", row="1")
    landed.land()
    changed = landed.tables()
    assert changed != before
    landed.undo(one)
    last = landed.undo(two)
    landed.land()
    assert landed.tables() == before
    assert (landed.state(one), landed.state(last)) == ("undone", "kept")
    landed.undo(last)
    landed.land()
    assert landed.state(two) == "applied"
    assert len(read_ledger(landed.ledger)) == 5


def test_a_removed_submission_is_refused_and_comes_back_when_that_is_undone(landed):
    landed.pull(submission_id="uuid:2")
    before, history = landed.tables(), landed.rows("FROM ops.versions WHERE submission_id = 'uuid:1'")
    one = landed.correct("", "", "", change_type="remove_survey")
    landed.land()
    assert landed.one("_submission_id") == ["uuid:2"]
    assert landed.rows("SELECT form_id, reason, n FROM ops.refused") == [
        {"form_id": "visit", "reason": REMOVED, "n": 1}
    ]
    assert landed.state(one) == "applied"
    landed.land()
    landed.undo(one)
    landed.land()
    assert landed.tables() == before
    assert landed.rows("FROM ops.refused") == []
    assert history[0]["content"] == landed.rows("FROM ops.versions WHERE submission_id = 'uuid:1'")[-1]["content"]


# --- flagged


def test_a_change_at_the_source_is_a_conflict_that_holds_until_somebody_decides(landed):
    one = landed.correct("said", "hello", "good day")
    landed.land()
    landed.pull({**ANSWERS, "said": "changed there"})
    assert landed.submission() == "held"
    assert landed.one("said", "held.visit") == ["changed there"]
    assert landed.state(one) == "conflict"
    (row,) = landed.rows("SELECT path, row, rule, action, table_name FROM ops.violations")
    assert list(row.values()) == ["said", "", "CORRECTION-CONFLICT:said", "hold", "visit"]
    (rule,) = landed.rows("SELECT message FROM ops.rules")
    assert {"en", "fr", "es"} == set(json.loads(rule["message"]))
    two = landed.correct("said", "changed there", "good day")
    landed.land()
    assert (landed.submission(), landed.one("said")) == ("accepted", ["good day"])
    assert (landed.state(one), landed.state(two)) == ("superseded", "applied")


def test_the_source_that_says_so_itself_is_no_conflict(landed):
    one = landed.correct("said", "hello", "good day")
    landed.land()
    landed.pull({**ANSWERS, "said": "good day"})
    assert (landed.state(one), landed.submission()) == ("at the source", "accepted")
    landed.undo(one)
    landed.land()
    assert landed.one("said") == ["good day"]


def test_a_row_that_is_gone_is_told(landed):
    one = landed.correct("r/x", "two", "three", row="2")
    landed.land()
    landed.pull({**ANSWERS, "r": ROWS[:1]})
    assert (landed.state(one), landed.submission()) == ("no place", "held")
    (row,) = landed.rows("SELECT path, row, rule, table_name FROM ops.violations")
    assert list(row.values()) == ["r/x", "2", "CORRECTION-PLACE:r/x", "visit__r"]


def test_what_the_participant_agreed_to_is_never_corrected(landed):
    one = landed.correct("agreed", "yes", "no")
    landed.land()
    assert (landed.state(one), landed.one("agreed", "held.visit")) == ("no place", ["yes"])


def test_a_submission_that_is_gone_keeps_no_value_in_the_books(landed):
    one = landed.correct("said", "hello", "good day")
    elsewhere = landed.correct("said", "hello", "good day", uuid="uuid:9")
    landed.land()
    landed.pull({}, deleted_at="2026-11-21T10:00:00Z")
    assert (landed.state(one), landed.state(elsewhere)) == ("no place", "no place")
    assert landed.rows("SELECT DISTINCT old_value, new_value FROM ops.corrections") == [
        {"old_value": "", "new_value": ""}
    ]
    assert landed.rows("FROM ops.corrected") == []


# --- decided


def test_a_held_submission_that_is_mended_becomes_accepted_and_the_other_way_round(place):
    place.pull({**ANSWERS, "kind": "z"})
    assert place.submission() == "held"
    one = place.correct("kind", "z", "b")
    (landed,) = place.land()
    assert (landed.accepted, place.submission(), place.one("kind")) == (1, "accepted", ["b"])
    place.undo(one)
    place.correct("g/age", "12", "many")
    place.land()
    assert place.submission() == "held"
    assert {row["rule"] for row in place.rows("FROM ops.violations")} == {"FORM-CHOICE:kind", "FORM-TYPE:g/age"}


def test_a_release_stands_for_the_content_that_was_released(place):
    place.pull({**ANSWERS, "kind": "z"})
    with writing(place.workspace.warehouse) as db:
        release(db, "uuid:1", "fine", "me")
    one = place.correct("said", "hello", "good day")
    place.land()
    assert place.submission() == "held"
    with writing(place.workspace.warehouse) as db:
        release(db, "uuid:1", "still fine", "me")
    assert (place.submission(), place.one("said")) == ("accepted", ["good day"])
    before = place.tables()
    rebuild(place.workspace)
    assert place.tables() == before
    place.undo(one)
    place.land()
    assert (place.submission(), place.one("said")) == ("accepted", ["hello"])
    rebuild(place.workspace)
    assert (place.submission(), place.one("said")) == ("accepted", ["hello"])


# --- the books


def test_runs_count_pulls_only_and_balance(landed):
    landed.correct("said", "hello", "good day")
    landed.land()
    landed.pull({**ANSWERS, "g/age": "13"})
    runs = landed.rows("FROM ops.runs")
    assert len(runs) == 2
    for run in runs:
        assert run["pulled"] == sum(run[name] for name in ("accepted", "held", "refused", "already_known", "deleted"))
    with writing(landed.workspace.warehouse) as db:
        assert db.execute("SELECT count(*) FROM ops.submissions").fetchone() == (1,)


def test_every_answer_is_in_its_place_when_a_correction_was_undone(landed):
    landed.undo(landed.correct("said", "hello", "good day"))
    landed.land()
    with writing(landed.workspace.warehouse) as db:
        assert account(db, open_batch(batches(landed.workspace.batches, "visit")[-1])) > 0


def test_history_has_what_was_there_before_the_correction(landed):
    make_snapshot(landed.workspace.warehouse, landed.workspace.snapshots)
    before = now()
    time.sleep(1.1)
    landed.correct("said", "hello", "good day")
    landed.land()
    at = time_of(before, datetime.now(UTC))
    with open_as_of(landed.workspace.warehouse, landed.workspace.snapshots, at) as db:
        assert db.execute("SELECT said FROM accepted.visit").fetchall() == [("hello",)]
    assert landed.one("said") == ["good day"]


def test_a_rebuild_gives_the_same_rows(landed):
    landed.correct("said", "hello", "good day")
    landed.land()
    landed.pull(submission_id="uuid:2")
    landed.pull({**ANSWERS, "g/age": "14"})
    landed.correct("", "", "", change_type="remove_survey", uuid="2")
    landed.land()
    before, book = landed.tables(), landed.rows("FROM ops.corrections ORDER BY id")
    rebuild(landed.workspace)
    assert landed.tables() == before
    assert landed.rows("FROM ops.corrections ORDER BY id") == book


def test_no_snapshot_holds_a_value_of_the_ledger(place):
    place.pull({**ANSWERS, "name": "Zebracorn"})
    place.correct("name", "Zebracorn", "Yakoblin")
    place.land()
    path = make_snapshot(place.workspace.warehouse, place.workspace.snapshots)
    data = path.read_bytes()
    assert b"Zebracorn" not in data
    assert b"Yakoblin" not in data


# --- killed


def killed(module: object, name: str, act: Callable[[], object]) -> None:
    """A process of its own is killed when it comes to this function."""
    child = os.fork()
    if not child:
        setattr(module, name, lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))
        act()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL


def test_a_kill_at_any_point_and_the_same_again_give_the_same(landed):
    landed.pull(submission_id="uuid:2")
    landed.correct("said", "hello", "good day")
    landed.correct("g/age", "12", "21", uuid="uuid:2")
    fresh = landed.workspace.root.parent / "whole"
    shutil.copytree(landed.workspace.root, fresh)
    land(open_workspace(fresh))
    with writing(open_workspace(fresh).warehouse) as db:
        wanted = tables_of(db), rows_of(db, "FROM ops.corrections ORDER BY id")
    before = landed.ledger.read_bytes()
    killed(files.os, "fsync", lambda: landed.correct("said", "", "x"))
    assert landed.ledger.read_bytes() == before
    killed(load, "_count", landed.land)
    killed(landing, "write_book", landed.land)
    landed.land()
    assert (landed.tables(), landed.rows("FROM ops.corrections ORDER BY id")) == wanted
    assert landed.land() == []
