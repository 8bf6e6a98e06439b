"""Questions over the versions of a form, landed: renamed ones share a column, and a class goes along."""

from __future__ import annotations

import pytest

from dialogkit.steps.lineage import decide
from dialogkit.steps.rebuild import rebuild
from dialogkit.warehouse.connect import reading, writing
from dialogkit.warehouse.snapshot import make_snapshot
from tests.accounting import account
from tests.builders import make_form, received, rows_of
from tests.properties import World, worlds


@pytest.fixture
def make():
    with worlds() as maker:
        yield maker


def form_of(version, *rows):
    return make_form("f", version, list(rows))


def rows_in(world: World, columns: str, schema: str = "accepted"):
    with world.opened() as db:
        found = rows_of(db, f"SELECT {columns} FROM {schema}.f ORDER BY _submission_id")
    return [tuple(row.values()) for row in found]


def columns_of(world: World, path: str):
    with world.opened() as db:
        return rows_of(db, f"SELECT column_name, kind, was FROM ops.columns WHERE path = '{path}' ORDER BY ALL")


def accounted(world: World):
    with world.opened() as db:
        for batch in world.landed:
            account(db, batch)


OLD = form_of("1", ("text", "town"))
NEW = form_of("2", ("text", "place", {"was": "town"}))


def test_a_renamed_question_has_one_column_under_its_first_name(make):
    world = make([OLD, NEW])
    world.deliver([received(OLD, {"town": "Yei"}, "uuid:1"), received(NEW, {"place": "Juba"}, "uuid:2")])
    assert rows_in(world, "town") == [("Yei",), ("Juba",)]
    assert columns_of(world, "place") == [{"column_name": "town", "kind": "text", "was": '["town"]'}]
    with world.opened() as db:
        steps = rows_of(db, "SELECT version, fate, was, because FROM ops.lineage WHERE path = 'place'")
    assert steps == [{"version": "2", "fate": "renamed", "was": "town", "because": "was"}]
    accounted(world)


def test_both_names_in_one_submission_keep_the_newer_answer_and_tell_of_the_older(make):
    world = make([OLD, NEW])
    world.deliver([received(NEW, {"place": "Juba", "town": "Yei"}, "uuid:1")])
    assert rows_in(world, "town") == [("Juba",)]
    with world.opened() as db:
        issues = rows_of(db, "SELECT path, kind, raw FROM ops.issues")
        noted = rows_of(db, "SELECT DISTINCT rule FROM ops.violations")
    assert issues == [{"path": "town", "kind": "twice", "raw": "Yei"}]
    assert noted == [{"rule": "FORM-DRIFT"}]


def test_an_old_name_that_a_new_question_takes_leads_there_only(make):
    again = form_of("3", ("text", "place", {"was": "town"}), ("text", "town"))
    world = make([OLD, NEW])
    world.deliver([received(OLD, {"town": "one"}, "uuid:1"), received(NEW, {"place": "two"}, "uuid:2")])
    later = World(world.root.with_name("later"), [OLD, NEW, again])
    later.workspace.warehouse.parent.mkdir(parents=True, exist_ok=True)
    later.workspace.warehouse.write_bytes(world.workspace.warehouse.read_bytes())
    later.deliver(
        [received(again, {"place": "three", "town": "other"}, "uuid:3"), received(OLD, {"town": "4"}, "uuid:4")]
    )
    assert rows_in(later, "town, town__2") == [("one", None), ("two", None), ("three", "other"), (None, "4")]
    with later.opened() as db:
        assert rows_of(db, "FROM ops.issues") == []
    accounted(later)


def test_two_that_were_landed_apart_are_one_column_after_a_rebuild(make):
    now = form_of("2", ("text", "place"))
    world = make([OLD, now])
    world.deliver([received(OLD, {"town": "Yei"}, "uuid:1"), received(now, {"place": "Juba"}, "uuid:2")])
    assert rows_in(world, "town, place") == [("Yei", None), (None, "Juba")]
    decide(world.workspace, "f", [("town", "place")], [])
    world.land()
    assert rows_in(world, "town, place") == [("Yei", None), (None, "Juba")]
    rebuild(world.workspace)
    assert rows_in(world, "town") == [("Yei",), ("Juba",)]
    assert columns_of(world, "place") == [{"column_name": "town", "kind": "text", "was": '["town"]'}]


@pytest.mark.parametrize("later", [False, True], ids=["at once", "after the old answers were landed"])
def test_a_question_that_identifies_people_does_so_in_every_type_that_it_had(make, later):
    old, now = form_of("1", ("text", "age")), form_of("2", ("integer", "age", {"disclosure": "direct"}))
    world = make([old] if later else [old, now])
    first = [received(old, {"age": "forty"}, "uuid:1")]
    if later:
        world.deliver(first)
        first = []
    after = World(world.root.with_name("after"), [old, now])
    after.workspace.warehouse.parent.mkdir(parents=True, exist_ok=True)
    if later:
        after.workspace.warehouse.write_bytes(world.workspace.warehouse.read_bytes())
    after.deliver([*first, received(now, {"age": "41"}, "uuid:2"), received(old, {"age": "fifty"}, "uuid:3")])
    assert "forty" not in str(after.content("accepted"))
    assert "fifty" not in str(after.content("accepted"))
    assert rows_in(after, "_submission_id, age, age__2", "identifiers") == [
        ("uuid:1", "forty", None),
        ("uuid:2", None, 41),
        ("uuid:3", "fifty", None),
    ]


def test_a_renamed_question_stays_an_identifier_when_only_its_old_version_is_known(make):
    now = form_of("2", ("text", "place", {"was": "town", "disclosure": "direct"}))
    world = make([OLD, now])
    world.deliver([received(OLD, {"town": "Yei"}, "uuid:1"), received(now, {"place": "Juba"}, "uuid:2")])
    late = World(world.root.with_name("late"), [OLD], known=False)
    late.workspace.warehouse.parent.mkdir(parents=True, exist_ok=True)
    late.workspace.warehouse.write_bytes(world.workspace.warehouse.read_bytes())
    late.deliver([received(OLD, {"town": "Torit"}, "uuid:3")])
    assert "Torit" not in str(late.content("accepted"))
    assert rows_in(late, "town", "identifiers") == [("Yei",), ("Juba",), ("Torit",)]


def test_columns_of_a_warehouse_from_before_get_their_alias(make):
    world = make([OLD])
    world.deliver([received(OLD, {"town": "Yei"}, "uuid:1")])
    with writing(world.workspace.warehouse) as db:
        db.execute("UPDATE ops.columns SET alias = ''")
    world.land()
    with world.opened() as db:
        assert rows_of(db, "SELECT alias FROM ops.columns WHERE path = 'town'") == [{"alias": "town"}]


def test_thousands_of_unknown_keys_land_in_the_memory_that_there_is(make):
    world = make([OLD], judged=False)
    keys = {f"unknown_{number}": "x" for number in range(5_000)}
    world.deliver([received(OLD, {"town": "Yei", **keys}, f"uuid:{number}") for number in range(5)])
    with world.opened() as db:
        assert rows_of(db, "SELECT count(*) AS n FROM ops.drift") == [{"n": 25_000}]


@pytest.mark.parametrize("now", ["indirect", "free_text"])
def test_an_earlier_type_is_not_published_more_freely_than_the_newest(make, now):
    old, new = form_of("1", ("text", "age")), form_of("2", ("integer", "age", {"disclosure": now}))
    world = make([old, new], judged=False)
    world.deliver([received(old, {"age": "forty"}, "uuid:1")])
    with world.opened() as db:
        classes = rows_of(db, "SELECT DISTINCT disclosure FROM ops.columns WHERE path = 'age'")
    assert classes == [{"disclosure": now}]


def test_versions_and_choices_that_only_earlier_batches_knew_stay_in_the_codebook(make):
    first = form_of("1", ("select_one", "where", {"choices": ["Yei", "Juba"]}))
    second = form_of("2", ("select_one", "where", {"choices": ["Juba"]}))
    world = make([first, second], known=False, judged=False)
    world.deliver([received(first, {"where": "Yei"}, "uuid:1")])
    world.deliver([received(second, {"where": "Juba"}, "uuid:2")])
    with world.opened() as db:
        assert rows_of(db, "SELECT version FROM ops.forms ORDER BY position") == [{"version": "1"}, {"version": "2"}]
        choices = rows_of(db, "SELECT choice FROM ops.choices ORDER BY choice")
    assert choices == [{"choice": "Juba"}, {"choice": "Yei"}]


def test_a_snapshot_counts_what_stands_in_no_column_without_a_word_of_it(make):
    form = form_of("1", ("integer", "age"))
    world = make([form], judged=False)
    world.deliver([received(form, {"age": "twelve"}, "uuid:1"), received(form, {"age": "ten"}, "uuid:2")])
    path = make_snapshot(world.workspace.warehouse, world.workspace.snapshots)
    with reading(path) as db:
        assert rows_of(db, "FROM ops.issues") == [
            {"form_id": "f", "table_name": "f", "path": "age", "kind": "integer", "n": 2}
        ]
