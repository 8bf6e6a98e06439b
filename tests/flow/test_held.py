"""Held submissions: listed with reasons, released or dropped, and the decision stands."""

from __future__ import annotations

import pytest

from dialogkit.errors import WarehouseError
from dialogkit.problem import Problem
from dialogkit.warehouse.held import drop, list_held, release, show_held
from tests.builders import everything, land_batch, make_form, received, rows_of, write_batch

FORM = make_form(
    "visit",
    "1",
    [
        ("text", "name", {"disclosure": "direct"}),
        ("integer", "age"),
        ("repeat", "r"),
        ("note", "r/n"),
        ("repeat", "r/s"),
        ("text", "r/s/x", {"disclosure": "direct"}),
    ],
)
ANSWERS = {"name": "Amina", "age": "9", "r": [{"r/s": [{"r/s/x": "Bo"}]}, {}]}


def land(db, tmp_path, *some, hold):
    return land_batch(db, write_batch(tmp_path / "batches", FORM, some), FORM, hold=hold)


@pytest.fixture
def held(db, tmp_path):
    """`uuid:aa1` breaks two rules' worth of one, `uuid:ab2` another; `uuid:ac3` is accepted."""
    some = [received(FORM, ANSWERS, f"uuid:{name}") for name in ("aa1", "ab2", "ac3")]
    land(db, tmp_path, *some, hold={"uuid:aa1": "RULE-001", "uuid:ab2": "RULE-002"})
    return db


def test_held_submissions_are_listed_with_their_rules(held):
    assert [(one.submission_id, one.form_id, one.form_version, one.rules) for one in list_held(held)] == [
        ("uuid:aa1", "visit", "1", ("RULE-001",)),
        ("uuid:ab2", "visit", "1", ("RULE-002",)),
    ]
    assert list_held(held, ["other"]) == []
    assert len(list_held(held, ["visit"])) == 2


def test_a_held_submission_stands_in_held_whole_and_nowhere_else(held):
    found = everything(held)
    assert [len(found[f"held.{table}"]) for table in ("visit", "visit__r", "visit__s")] == [2, 4, 2]
    assert [len(found[f"accepted.{table}"]) for table in ("visit", "visit__r", "visit__s")] == [1, 2, 1]
    assert "uuid:aa1" not in repr(found["identifiers.visit"] + found["identifiers.visit__s"])


def test_show_says_what_is_wrong_and_never_an_answer(held):
    problems = show_held(held, "uuid:aa1")
    assert problems == [
        Problem("RULE-001", "held", "visit, submission uuid:aa1, whole submission", "RULE-001 is broken.", "Fix it.")
    ]
    assert "Amina" not in str(problems)


def test_a_note_beside_is_told_with_its_row_and_offers_no_release(held):
    held.execute("INSERT INTO ops.violations VALUES ('uuid:aa1', 'visit', 'visit__r', '2', '', 'NOTE-1', 'note')")
    (_, note) = show_held(held, "uuid:aa1")
    assert (note.severity, note.where) == ("note", "visit, submission uuid:aa1, row 2")
    assert note.fix.startswith("It holds nothing.")


def test_the_words_of_a_rule_stay_while_a_submission_is_held_by_it(held, tmp_path):
    land(held, tmp_path, received(FORM, ANSWERS, "uuid:later"), hold={"uuid:later": "RULE-009"})
    assert show_held(held, "uuid:aa1")[0].message == "RULE-001 is broken."


@pytest.mark.parametrize("name", ["uuid:aa1", "aa1", "aa", "uuid:aa"])
def test_a_submission_is_found_by_its_beginning(held, name):
    assert show_held(held, name)[0].where == "visit, submission uuid:aa1, whole submission"


def test_a_whole_id_wins_over_one_that_begins_with_it(held, tmp_path):
    land(held, tmp_path, received(FORM, ANSWERS, "uuid:aa12"), hold={"uuid:aa12": "RULE-003"})
    assert release(held, "uuid:aa1", "ok", "me").submission_id == "uuid:aa1"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a", "More than one held submission begins so."),
        ("uuid:a", "More than one held submission begins so."),
        ("zz", "No held submission has this id."),
        ("ac3", "No held submission has this id."),
        ("%", "No held submission has this id."),
        ("", "No held submission has this id."),
    ],
)
def test_warehouse_008_which_one_is_meant(held, name, message):
    before = everything(held)
    for act in (
        lambda: release(held, name, "r", "me"),
        lambda: drop(held, name, "r", "me"),
        lambda: show_held(held, name),
    ):
        with pytest.raises(WarehouseError) as caught:
            act()
        assert str(caught.value) == (
            f"error[WAREHOUSE-008] submission {name}\n  {message}\n  See the held submissions with: dialogkit held list"
        )
    assert everything(held) == before


def test_an_empty_name_means_none_even_when_one_is_held(held):
    drop(held, "ab2", "x", "me")
    with pytest.raises(WarehouseError):
        drop(held, "", "x", "me")


def test_a_released_submission_is_accepted_with_all_its_rows(held):
    release(held, "aa1", "It is right: asked again", "Lea")
    found = everything(held)
    assert [len(found[f"held.{table}"]) for table in ("visit", "visit__r", "visit__s")] == [1, 2, 1]
    assert [len(found[f"accepted.{table}"]) for table in ("visit", "visit__r", "visit__s")] == [2, 4, 2]
    assert rows_of(held, "FROM identifiers.visit WHERE _submission_id = 'uuid:aa1'") == [
        {"_submission_id": "uuid:aa1", "_row": "", "name": "Amina", "_instance_name": None}
    ]
    assert rows_of(held, "SELECT _row, x FROM identifiers.visit__s WHERE _submission_id = 'uuid:aa1'") == [
        {"_row": "1/1", "x": "Bo"}
    ]
    assert "Amina" not in repr(found["accepted.visit"])
    assert rows_of(held, "SELECT decision, reason, decided_by, instance_id FROM ops.decisions") == [
        {"decision": "release", "reason": "It is right: asked again", "decided_by": "Lea", "instance_id": "uuid:aa1"}
    ]
    assert rows_of(held, "SELECT state FROM ops.submissions WHERE submission_id = 'uuid:aa1'") == [
        {"state": "accepted"}
    ]


def test_a_released_row_without_identifiers_leaves_none(db, tmp_path):
    land(db, tmp_path, received(FORM, {"age": "1"}), hold={"uuid:1": "RULE-001"})
    release(db, "uuid:1", "ok", "me")
    assert rows_of(db, "FROM identifiers.visit") == []


def test_a_dropped_submission_leaves_its_reason_and_no_answer(held, tmp_path):
    some = received(FORM, ANSWERS | {"age": "Zebracorn", "new": "Quokka"}, "uuid:z")
    land(held, tmp_path, some, hold={"uuid:z": "RULE-001"})
    drop(held, "uuid:z", "A test", "Lea")
    found = {name: rows for name, rows in everything(held).items() if "uuid:z" in repr(rows)}
    assert set(found) == {"ops.version_rows", "ops.decisions", "ops.violations"}
    assert "Zebracorn" not in repr(everything(held))
    assert "Quokka" not in repr(everything(held))
    assert rows_of(held, "SELECT state, reason FROM ops.submissions WHERE submission_id = 'uuid:z'") == [
        {"state": "dropped", "reason": "A test"}
    ]


@pytest.mark.parametrize(("act", "state", "rows"), [(release, "accepted", 2), (drop, "dropped", 1)])
def test_a_decision_stands_when_the_same_edition_is_landed_anew(held, tmp_path, act, state, rows):
    act(held, "aa1", "because", "me")
    # The server changed its word on it: the content is another, the edition the same.
    again = received(FORM, ANSWERS, "uuid:aa1", review_state="approved")
    landed = land(held, tmp_path, again, hold={"uuid:aa1": "RULE-001"})
    assert (landed.held, landed.accepted, landed.already_known) == ((0, 1, 0) if rows == 2 else (0, 0, 1))
    assert rows_of(held, "SELECT state FROM ops.submissions WHERE submission_id = 'uuid:aa1'") == [{"state": state}]
    assert held.execute("SELECT count(*) FROM accepted.visit").fetchone() == (rows,)


def test_what_was_dropped_stays_dropped_when_it_breaks_no_rule_any_more(held, tmp_path):
    drop(held, "aa1", "because", "me")
    land(held, tmp_path, received(FORM, ANSWERS, "uuid:aa1", review_state="approved"), hold={})
    assert rows_of(held, "SELECT state FROM ops.submissions WHERE submission_id = 'uuid:aa1'") == [{"state": "dropped"}]


@pytest.mark.parametrize("act", [release, drop])
def test_an_edit_of_a_decided_submission_is_judged_anew(held, tmp_path, act):
    act(held, "aa1", "because", "me")
    edit = received(FORM, ANSWERS, "uuid:aa1", instance_id="uuid:aa1-b", edited=True)
    assert land(held, tmp_path, edit, hold={"uuid:aa1": "RULE-001"}).held == 1
    assert [one.submission_id for one in list_held(held)] == ["uuid:aa1", "uuid:ab2"]
    fixed = received(FORM, ANSWERS, "uuid:aa1", instance_id="uuid:aa1-c", edited=True)
    assert land(held, tmp_path, fixed, hold={}).accepted == 1
