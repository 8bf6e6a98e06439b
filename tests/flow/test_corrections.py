"""Corrections: replayed on every landing, taken back cleanly, and flagged when the source has changed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dialogkit import files
from dialogkit.correct.ledger import append, changing, new_id, now, read_ledger
from dialogkit.model.correction import REMOVED, Entry
from dialogkit.model.report import Landed
from dialogkit.pull.batches import batches
from dialogkit.steps import land as landing
from dialogkit.steps.correct import list_corrections
from dialogkit.steps.land import land
from dialogkit.steps.rebuild import rebuild
from dialogkit.warehouse import load
from dialogkit.warehouse.as_of import open_as_of, time_of
from dialogkit.warehouse.connect import reading, writing
from dialogkit.warehouse.held import release
from dialogkit.warehouse.snapshot import make_snapshot
from dialogkit.workspace import open_workspace
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
#: Each submission of the story is about one thing.
PLAIN = ("early", "late", "rows", "empty", "blank", "chain", "undone", "removed", "conflict", "source", "lost", "gone")
HELD = ("held", "released")

Rows = dict[str, list[dict[str, Any]]]


@dataclass
class Moment:
    """What the warehouse says at one moment."""

    tables: Rows
    books: Rows

    def of(self, who: str) -> Rows:
        """Every row of the answers of a submission."""
        mine = {name: [row for row in rows if row["_submission_id"] == who] for name, rows in self.tables.items()}
        return {name: rows for name, rows in mine.items() if rows}

    def value(self, who: str, column: str, table: str = "accepted.visit") -> Any:
        """An answer, or those of all rows of a repeat."""
        found = [row[column] for row in self.of(who).get(table, [])]
        return found if "__" in table else found[0] if found else "not there"

    def state(self, entry_id: str) -> str:
        (row,) = [row for row in self.books["corrections"] if row["id"] == entry_id]
        return row["state"]

    def submission(self, who: str) -> str:
        (row,) = [row for row in self.books["submissions"] if row["submission_id"] == who]
        return row["state"]

    def rules(self, who: str) -> list[tuple[str, str, str]]:
        mine = [row for row in self.books["violations"] if row["submission_id"] == who]
        return sorted((row["rule"], row["table_name"], row["row"]) for row in mine if row["action"] == "hold")


class Place:
    """A workspace whose server is a list of submissions, and the ledger of its form."""

    def __init__(self, root: Path) -> None:
        (root / "dialogkit.toml").write_text('[forms.visit]\nfile = "x.xlsx"\n')
        self.workspace = open_workspace(root)
        self.editions = 0

    @property
    def ledger(self) -> Path:
        return self.workspace.corrections / "visit.csv"

    def arrive(self, answers: Mapping[str, Mapping[str, Any]], **facts: Any) -> Path:
        """One batch comes from the server: submission → what it says beside `ANSWERS`."""
        self.editions += 1
        editions = [
            received(FORM, {**ANSWERS, **some}, who, instance_id=f"{who}-{self.editions}", **facts)
            for who, some in answers.items()
        ]
        write_batch(self.workspace.batches, FORM, editions)
        return batches(self.workspace.batches, "visit")[-1]

    def land(self) -> list[Landed]:
        return land(self.workspace)

    def correct(self, who: str, question: str, old: str, new: str, **facts: str) -> str:
        """Add an entry as the commands do; gives its id."""
        entry = Entry(who, question, "typing error", old, new, "change_response", "", "me", now(), "asked", "", "")
        entry = replace(entry, id=new_id([]), **facts)
        with changing(self.ledger.parent):
            append(self.ledger, [entry])
        return entry.id

    def undo(self, entry_id: str) -> str:
        who = next(one.uuid for one in read_ledger(self.ledger) if one.id == entry_id)
        return self.correct(who, "", "", "", undoes=entry_id, change_type="no_action")

    def release(self, who: str) -> None:
        with writing(self.workspace.warehouse) as db:
            release(db, who, "fine", "me")

    def rows(self, statement: str) -> list[dict[str, Any]]:
        with reading(self.workspace.warehouse) as db:
            return rows_of(db, statement)

    def moment(self) -> Moment:
        with reading(self.workspace.warehouse) as db:
            names = db.execute(
                "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = current_database() "
                "AND schema_name IN ('accepted', 'held', 'identifiers') ORDER BY ALL"
            ).fetchall()
            tables = {
                f"{schema}.{table}": sorted(rows_of(db, f'FROM {schema}."{table}"'), key=repr)
                for schema, table in names
            }
            books = ("corrections", "corrected", "submissions", "violations", "refused", "runs", "versions")
            return Moment(tables, {book: sorted(rows_of(db, f"FROM ops.{book}"), key=repr) for book in books})


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


# --- one story, told once: what each submission is about stands in its name


@dataclass
class Story:
    """The moments of the story, the ids of its entries by name, and what its landings gave."""

    place: Place
    moments: list[Moment]
    ids: dict[str, str]
    landed: list[list[Landed]]

    def state(self, moment: int, *names: str) -> tuple[str, ...]:
        """What became of entries."""
        return tuple(self.moments[moment].state(self.ids[name]) for name in names)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """0: landed. 1: corrected. 2: pulled again. 3: taken back. 4: what took it back is taken back. 5: rebuilt."""
    place = Place(tmp_path_factory.mktemp("story"))
    told = Story(place, [], {}, [])
    ids = told.ids
    ids["early"] = place.correct("early", "said", "hello", "good day")
    place.arrive({who: {"kind": "z"} if who in HELD else {} for who in (*PLAIN, "agreed", *HELD)})
    _next(told)
    place.release("released")
    _corrected(place, ids)
    _next(told)
    place.release("released")
    place.arrive(
        {
            "chain": {"said": "b"},
            "conflict": {"said": "changed there"},
            "source": {"said": "good day"},
            "lost": {"r": ROWS[:1]},
            "late": {"g/more": "edited"},
        }
    )
    place.arrive({"gone": {}}, deleted_at="2026-11-21T10:00:00Z")
    _next(told)
    for name in ("undone", "undone row", "removed", "held", "source"):
        ids[f"undo {name}"] = place.undo(ids[name])
    ids["broken"] = place.correct("held", "g/age", "12", "many")
    ids["settled"] = place.correct("conflict", "said", "changed there", "good day")
    _next(told)
    ids["again"] = place.undo(ids["undo undone row"])
    _next(told)
    rebuild(place.workspace)
    told.moments.append(place.moment())
    return told


def _next(story: Story) -> None:
    story.landed.append(story.place.land())
    story.moments.append(story.place.moment())


def _corrected(place: Place, ids: dict[str, str]) -> None:
    for name in ("undone", "conflict", "source", "gone", "released"):
        ids[name] = place.correct(name, "said", "hello", "good day")
    ids["late"] = place.correct("late", "g/age", "12", "21")
    place.correct("rows", "r/x", "two", "three", row="2")
    place.correct("rows", "r/s/y", "2", "5", row="1/2")
    place.correct("rows", "name", "Ana", "Anna")
    ids["added"] = place.correct("empty", "g/more", "", "added")
    ids["nowhere"] = place.correct("empty", "r/s/y", "", "7", row="2/1")
    place.correct("blank", "said", "hello", "", change_type="blank_response")
    ids["looked at"] = place.correct("blank", "g/age", "12", "", change_type="no_action")
    ids["one"], ids["two"] = place.correct("chain", "said", "hello", "b"), place.correct("chain", "said", "b", "c")
    ids["undone row"] = place.correct("undone", "r/x", "one", "", row="1")
    ids["removed"] = place.correct("removed", "", "", "", change_type="remove_survey")
    ids["lost"] = place.correct("lost", "r/x", "two", "three", row="2")
    ids["agreed"] = place.correct("agreed", "agreed", "yes", "no")
    ids["held"] = place.correct("held", "kind", "z", "b")
    ids["elsewhere"] = place.correct("uuid:9", "said", "hello", "good day")


# replayed


def test_a_correction_made_before_a_landing_is_in_it(story):
    assert story.moments[0].value("early", "said") == "good day"
    assert story.state(0, "early") == ("applied",)


def test_a_correction_of_what_landed_long_ago_takes_effect_at_the_next_landing_without_a_batch(story):
    assert (story.moments[0].value("late", "age"), story.moments[1].value("late", "age")) == (12, 21)
    assert story.state(1, "late") == ("applied",)
    (again,) = story.landed[1]
    assert (again.again, again.pulled) == (True, 14)
    assert story.place.land() == []


def test_it_stays_in_rows_of_repeats_and_in_identifiers(story):
    for moment in story.moments[1:]:
        assert moment.value("rows", "x", "accepted.visit__r") == ["one", "three"]
        assert sorted(moment.value("rows", "y", "accepted.visit__s")) == [1, 5]
        assert moment.value("rows", "name", "identifiers.visit") == "Anna"


def test_an_answer_that_nobody_in_the_batch_gave_gets_its_column(story):
    assert story.moments[1].value("empty", "more", "held.visit") == "added"
    assert story.state(1, "added", "nowhere") == ("applied", "no place")


def test_a_blank_and_a_change_of_nothing(story):
    assert (story.moments[1].value("blank", "said"), story.moments[1].value("blank", "age")) == (None, 12)
    assert story.state(1, "looked at") == ("kept",)


def test_two_corrections_of_one_answer_are_a_chain(story):
    assert (story.moments[1].value("chain", "said"), story.state(1, "one", "two")) == ("c", ("applied", "applied"))
    assert story.moments[2].value("chain", "said") == "c"
    assert story.state(2, "one", "two") == ("at the source", "applied")


# taken back


def test_an_undone_correction_leaves_every_table_as_it_was(story):
    before, changed, back = (story.moments[number].of("undone") for number in (0, 1, 3))
    assert changed != before
    assert back == before
    assert story.state(3, "undone", "undone row", "undo undone row") == ("undone", "undone", "kept")
    assert story.state(4, "undone", "undone row") == ("undone", "applied")
    assert story.moments[4].value("undone", "x", "accepted.visit__r") == [None, "two"]


def test_a_removed_submission_is_refused_and_comes_back_when_that_is_undone(story):
    before, away, back = (story.moments[number] for number in (0, 1, 3))
    assert (away.of("removed"), story.state(1, "removed")) == ({}, ("applied",))
    assert [(row["form_id"], row["reason"], row["n"]) for row in away.books["refused"]] == [("visit", REMOVED, 1)]
    assert back.of("removed") == before.of("removed")
    assert back.books["refused"] == []
    contents = {row["content"] for row in back.books["versions"] if row["submission_id"] == "removed"}
    assert len(contents) == 1


# flagged


def test_a_change_at_the_source_is_a_conflict_that_holds_until_somebody_decides(story):
    there, settled = story.moments[2:4]
    assert (there.submission("conflict"), there.value("conflict", "said", "held.visit")) == ("held", "changed there")
    assert story.state(2, "conflict") == ("conflict",)
    assert there.rules("conflict") == [("CORRECTION-CONFLICT:said", "visit", "")]
    (rule,) = story.place.rows("SELECT message FROM ops.rules WHERE rule = 'CORRECTION-CONFLICT:said'")
    assert {"en", "fr", "es"} == set(json.loads(rule["message"]))
    assert (settled.submission("conflict"), settled.value("conflict", "said")) == ("accepted", "good day")
    assert story.state(3, "conflict", "settled") == ("superseded", "applied")


def test_the_source_that_says_so_itself_is_no_conflict(story):
    assert (story.state(2, "source"), story.moments[2].submission("source")) == (("at the source",), "accepted")
    assert story.state(3, "source") == ("undone",)
    assert story.moments[3].value("source", "said") == "good day"


def test_a_row_that_is_gone_is_told(story):
    assert (story.state(1, "lost"), story.state(2, "lost")) == (("applied",), ("no place",))
    assert story.moments[2].rules("lost") == [("CORRECTION-PLACE:r/x", "visit__r", "2")]
    assert story.moments[2].submission("lost") == "held"


def test_what_the_participant_agreed_to_is_never_corrected(story):
    assert story.state(1, "agreed") == ("no place",)
    assert story.moments[1].value("agreed", "agreed", "held.visit") == "yes"


def test_a_submission_that_is_gone_keeps_no_value_in_the_books(story):
    assert (story.state(1, "gone"), story.state(2, "gone", "elsewhere")) == (("applied",), ("no place", "no place"))
    of_gone = [row for row in story.moments[2].books["corrections"] if row["submission_id"] in ("gone", "uuid:9")]
    assert {(row["old_value"], row["new_value"]) for row in of_gone} == {("", "")}
    assert len(of_gone) == 2
    assert "gone" not in {row["submission_id"] for row in story.moments[2].books["corrected"]}


# decided


def test_a_held_submission_that_is_mended_becomes_accepted_and_the_other_way_round(story):
    before, mended, after = (story.moments[number] for number in (0, 1, 3))
    assert [one.submission("held") for one in (before, mended, after)] == ["held", "accepted", "held"]
    assert mended.value("held", "kind") == "b"
    assert [rule for rule, *_ in after.rules("held")] == ["FORM-CHOICE:kind", "FORM-TYPE:g/age"]


def test_a_release_stands_for_the_content_that_was_released(story):
    assert [one.submission("released") for one in story.moments[:3]] == ["held", "held", "accepted"]
    assert [one.value("released", "said") for one in story.moments[2:]] == ["good day"] * 4
    assert story.moments[5].of("released") == story.moments[2].of("released")


# the books


def test_runs_count_pulls_only_and_balance(story):
    runs = story.moments[4].books["runs"]
    assert len(runs) == 3
    for run in runs:
        assert run["pulled"] == sum(run[name] for name in ("accepted", "held", "refused", "already_known", "deleted"))


def test_a_rebuild_gives_the_same_rows_and_the_same_book(story):
    before, after = story.moments[4:]
    assert after.tables == before.tables
    assert after.books["corrections"] == before.books["corrections"]
    assert after.books["corrected"] == before.books["corrected"]


def test_the_ledger_only_grows(story):
    assert {entry.id for entry in read_ledger(story.place.ledger)} >= set(story.ids.values())


# --- pulls, history


def test_a_correction_survives_ten_pulls_and_history_but_no_snapshot_has_what_was_there_before_it(place):
    place.arrive({"uuid:1": {"name": "Zebracorn"}})
    place.land()
    make_snapshot(place.workspace.warehouse, place.workspace.snapshots)
    time.sleep(1)  # `now` counts whole seconds
    before = now()
    time.sleep(1)
    place.correct("uuid:1", "said", "hello", "good day")
    place.correct("uuid:1", "name", "Zebracorn", "Yakoblin")
    place.land()
    for number in range(10):
        place.arrive({"uuid:1": {"g/age": str(number), "name": "Zebracorn"}})
    assert len(place.land()) == 10
    kept = place.rows(
        "SELECT said, age FROM history.visit UNION ALL SELECT said, age FROM accepted.visit ORDER BY 1, 2"
    )
    assert kept == [{"said": "good day", "age": age} for age in (*range(10), 12)] + [{"said": "hello", "age": 12}]
    assert [row["state"] for row in place.rows("FROM ops.corrections")] == ["applied", "applied"]
    assert place.rows("SELECT name FROM identifiers.visit") == [{"name": "Yakoblin"}]
    with open_as_of(place.workspace.warehouse, place.workspace.snapshots, time_of(before, datetime.now(UTC))) as db:
        assert db.execute("SELECT said FROM accepted.visit").fetchall() == [("hello",)]
    data = make_snapshot(place.workspace.warehouse, place.workspace.snapshots).read_bytes()
    assert b"Zebracorn" not in data
    assert b"Yakoblin" not in data


# --- judged with its batch, or without one


def test_a_corrected_submission_is_judged_among_its_batch_as_a_rebuild_judges_it(place):
    place.workspace.validations.mkdir()
    (place.workspace.validations / "visit.toml").write_text(
        '[form.FORM-CHOICE]\nmostly = 0.7\n[[rule]]\ncode = "RULE-001"\ntype = "expect_column_values_to_be_unique"\n'
        'column = "said"\naction = "hold"\nmessage.en = "Said twice."\n'
    )
    place.arrive({"odd": {"kind": "z", "said": "x"}, "same": {"said": "y"}, "other": {}, "untouched": {"said": "w"}})
    place.land()
    place.correct("odd", "g/age", "12", "13")
    place.correct("same", "said", "y", "hello")
    place.land()
    moment = place.moment()
    assert (moment.submission("odd"), moment.value("odd", "age")) == ("accepted", 13)
    assert (moment.submission("same"), [rule for rule, *_ in moment.rules("same")]) == ("held", ["RULE-001"])
    untouched = [row for row in moment.books["versions"] if row["submission_id"] == "untouched"]
    assert (len(untouched), moment.submission("other")) == (1, "accepted")
    rebuild(place.workspace)
    rebuilt = place.moment()
    assert [rebuilt.of(who) for who in ("odd", "same")] == [moment.of(who) for who in ("odd", "same")]


def test_a_correction_whose_batch_is_not_here_says_so_until_the_batch_is_back(place):
    folder = place.arrive({"uuid:1": {}})
    made = place.correct("uuid:1", "said", "hello", "good day")
    place.land()
    away = folder.rename(place.workspace.root / "away")
    place.undo(made)
    waiting = place.correct("uuid:1", "g/age", "12", "13")
    for _ in range(2):
        assert place.land() == []
        told = {one.entry.id: one.state for one in list_corrections(place.workspace)}
        assert (told[made], told[waiting]) == ("no batch", "no batch")
    assert (place.moment().value("uuid:1", "said"), place.moment().value("uuid:1", "age")) == ("good day", 12)
    away.rename(folder)
    place.land()
    moment = place.moment()
    assert (moment.state(made), moment.state(waiting)) == ("undone", "applied")
    assert (moment.value("uuid:1", "said"), moment.value("uuid:1", "age")) == ("hello", 13)


# --- killed


def killed(module: object, name: str, act: Callable[[], object]) -> None:
    """A process of its own is killed when it comes to this function."""
    child = os.fork()
    if not child:
        setattr(module, name, lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))
        act()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL


def test_a_kill_at_any_point_and_the_same_again_give_the_same(place):
    place.arrive({"uuid:1": {}, "uuid:2": {}})
    place.land()
    place.correct("uuid:1", "said", "hello", "good day")
    place.correct("uuid:2", "g/age", "12", "21")
    fresh = place.workspace.root.parent / f"{place.workspace.root.name}-whole"
    shutil.copytree(place.workspace.root, fresh)
    whole = Place(fresh)
    whole.land()
    before = place.ledger.read_bytes()
    killed(files.os, "fsync", lambda: place.correct("uuid:1", "said", "", "x"))
    assert place.ledger.read_bytes() == before
    killed(load, "_count", place.land)
    killed(landing, "write_book", place.land)
    place.land()
    assert place.moment().tables == whole.moment().tables
    assert place.moment().books["corrections"] == whole.moment().books["corrections"]
    assert place.land() == []
