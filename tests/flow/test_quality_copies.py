"""Submissions with the same answers as another: found within a batch and over batches, the first never."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from tests.builders import received
from tests.flow.interviews import FORM, Run, answers, ids, runner, visit


@pytest.fixture
def run(db: duckdb.DuckDBPyConnection, tmp_path: Path) -> Run:
    return runner(db, tmp_path)


def test_the_same_answers_are_told_of_the_later_submission_whatever_phones_add(run: Run) -> None:
    people = [{"person/years": "4"}, {"person/years": "7"}]
    some = [
        visit(1, person=people),
        visit(
            1, person=people, submission_id="uuid:0002", sent="2026-11-20T11:00:00Z", device="other", place="1 37 0 4"
        ),
        visit(1, person=people[:1], submission_id="uuid:0003"),
        visit(1, person=people, submission_id="uuid:0004", o1="another"),
        visit(5),
    ]
    assert ids(run(some), "QUALITY-DUPLICATE") == ["2"]


def test_few_answers_that_are_the_same_are_chance(run: Run) -> None:
    few = {"start": "2026-11-20T09:00:00+03:00", "age": "30", "story": "yes"}
    some = [received(FORM, few, f"uuid:000{number}") for number in (1, 2)]
    assert run(some) == []
    assert ids(run(some, {"duplicate": {"least": 2}}), "QUALITY-DUPLICATE") == ["2"]
    assert run(some, {"duplicate": {"least": 2, "on": False}}) == []


def test_a_share_of_the_same_answers_is_enough_for_near(run: Run) -> None:
    changed = {"story": "new", "income": "1"}  # 14 of 16 answers are the same
    some = [visit(1), visit(1, submission_id="uuid:0002", **changed), visit(3)]
    assert ids(run(some, {"near": {}}), "QUALITY-NEAR") == ["2"]
    assert run(some, {"near": {"share": 0.95}}) == []
    assert run(some, {"near": {"least": 30}}) == []


@pytest.mark.parametrize("other", [{"submitter": "b"}, {"start": "2026-11-21T09:00:00+03:00"}])
def test_near_compares_within_blocks_only(run: Run, other: dict[str, str]) -> None:
    some = [visit(1), visit(1, submission_id="uuid:0002", story="new", **other)]
    sent = {"clock": {"on": False}}
    assert run(some, {"near": {}} | sent) == []
    assert ids(run(some, {"near": {"within": ["country"]}} | sent), "QUALITY-NEAR") == ["2"]


def test_large_blocks_are_compared_in_slices_that_follow_one_another(run: Run) -> None:
    some = [visit(number) for number in range(6)]
    some += [visit(5, submission_id="uuid:0006", story="new"), visit(0, submission_id="uuid:0007", story="new")]
    assert ids(run(some, {"near": {"largest": 4}}), "QUALITY-NEAR") == ["6"]
    assert ids(run(some, {"near": {}}), "QUALITY-NEAR") == ["6", "7"]


def test_what_was_accepted_before_counts_and_an_edit_is_no_duplicate_of_itself(run: Run) -> None:
    run([visit(1), visit(2)], land=True)
    edit = received(FORM, answers(1, story="new"), "uuid:0001", instance_id="uuid:e", submitter="a", edited=True)
    copy = visit(2, submission_id="uuid:0003", story="other")
    assert ids(run([edit, copy], {"near": {}}), "QUALITY-NEAR") == ["3"]


def test_a_fingerprint_that_the_warehouse_keeps_makes_a_duplicate(db: duckdb.DuckDBPyConnection, run: Run) -> None:
    run([visit(1), visit(2)], land=True)
    edit = received(FORM, answers(1), "uuid:0001", instance_id="uuid:e", edited=True)
    late = visit(2, submission_id="uuid:0003", sent="2026-11-20T09:45:00Z")  # the copy landed first
    assert ids(run([edit, late, visit(4)]), "QUALITY-DUPLICATE") == ["3"]
    db.execute("UPDATE ops.version_rows SET form_id = 'another'")
    assert run([edit, late, visit(4)]) == []


def test_one_that_lands_once_more_does_not_take_the_blame_for_its_copy(run: Run) -> None:
    first, copy = visit(1), visit(1, submission_id="uuid:0002", sent="2026-11-20T11:00:00Z")
    assert ids(run([first, copy]), "QUALITY-DUPLICATE") == ["2"]
    run([first, copy], land=True)
    again = received(FORM, answers(1), "uuid:0001", instance_id="uuid:e", submitter="a")
    assert run([again], {"near": {}}) == []
    again = received(
        FORM, answers(1), "uuid:0002", instance_id="uuid:e", submitter="a", submitted_at="2026-11-20T11:00:00Z"
    )
    assert [code for *_, code in run([again], {"near": {}})] == ["QUALITY-DUPLICATE", "QUALITY-NEAR"]
