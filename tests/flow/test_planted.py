"""Made-up submissions on the way of every landing: valid ones break no rule, and every planted error is found."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from dialogkit.forms.simulating.kinds import KINDS
from dialogkit.model.synthetic import PREFIX
from dialogkit.workspace import Workspace
from tests.flow.simulated_site import FORMS, landed, made_up, planted, rows, violations, workspace

#: How many valid submissions of each form; more are worth an evening: DIALOGKIT_PLANTED=1000.
ROUNDS = int(os.environ.get("DIALOGKIT_PLANTED", "6"))
#: Between them they have questions of every type, filters, repeats with a count, and repeats that a yes opens.
BROKEN = ("local_dialogue", "funder_barriers")

UNREADABLE = ("impossible-date", "letters-in-number", "decimal-in-integer", "malformed-point", "point-off-the-earth")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Valid submissions of every form (seed 1) and broken ones of two (seed 2), landed."""
    site = workspace(tmp_path_factory.mktemp("site"))
    for form_id in FORMS:
        made_up(site, form_id, ROUNDS)
    for form_id in BROKEN:
        made_up(site, form_id, 8 * ROUNDS, ("all",), seed=2)
    landed(site, *FORMS)
    return site


def broken(site: Workspace) -> dict[str, str]:
    """The kind of each broken submission of both forms, by id."""
    return {one["instance_id"]: one["kind"] for form_id in BROKEN for one in planted(site, form_id, seed=2)}


def refused(site: Workspace) -> set[str]:
    """Submissions of people who did not consent, or chose to delete: their answers never land."""
    return {one for (one,) in rows(site, "SELECT submission_id FROM ops.submissions WHERE state = 'refused'")}


def test_valid_submissions_of_every_form_break_no_rule(place: Workspace) -> None:
    ours = broken(place)
    found = {
        table: [row for row in rows(place, f"SELECT submission_id, * FROM ops.{table}") if row[0] not in ours]
        for table in ("violations", "issues", "drift")
    }
    assert found == {"violations": [], "issues": [], "drift": []}


def test_no_valid_submission_is_held_or_lost(place: Workspace) -> None:
    ours = broken(place)
    states = [
        (form_id, state)
        for submission, form_id, state in rows(place, "SELECT submission_id, form_id, state FROM ops.submissions")
        if submission not in ours
    ]
    assert len(states) == 7 * ROUNDS
    # Those who do not consent are made up too, and never land.
    assert {state for _, state in states} == {"accepted", "refused"}
    assert {form_id for form_id, state in states if state == "accepted"} == set(FORMS)


@pytest.mark.parametrize("form_id", BROKEN)
def test_every_planted_error_is_found_where_it_is(place: Workspace, form_id: str) -> None:
    found, away = violations(place), refused(place)
    missed = [
        (one["kind"], expected["rule"])
        for one in planted(place, form_id, seed=2)
        for expected in one["expected"]
        if one["instance_id"] not in away
        and not expected["rule"].startswith("QUALITY-")
        and not any(rule == expected["rule"] for rule, _ in found[one["instance_id"]])
    ]
    assert missed == []


@pytest.mark.parametrize("form_id", BROKEN)
def test_nothing_but_the_planted_error_is_found(place: Workspace, form_id: str) -> None:
    found = violations(place)
    surplus = [
        (one["kind"], rule)
        for one in planted(place, form_id, seed=2)
        for rule, _ in found[one["instance_id"]]
        if rule.startswith("FORM-") and rule not in {told["rule"] for told in (*one["expected"], *one["also"])}
    ]
    # What cannot be read of a required question is as good as nothing: that may be said too.
    assert [one for one in surplus if not (one[0] in UNREADABLE and one[1].startswith("FORM-REQUIRED:"))] == []


def test_more_than_twenty_kinds_land_with_their_error(place: Workspace) -> None:
    away = refused(place)
    kinds = {kind for submission, kind in broken(place).items() if kind and submission not in away}
    assert len(kinds) >= 28
    assert kinds <= set(KINDS)


def test_what_was_planted_is_mostly_alone(place: Workspace) -> None:
    some = [one for form_id in BROKEN for one in planted(place, form_id, seed=2)]
    assert sum(bool(one["also"]) for one in some) <= len(some) / 20


def test_what_landed_is_known_as_made_up(place: Workspace) -> None:
    """So publish refuses it (tests/flow/test_publish.py)."""
    assert all(one.startswith(PREFIX) for (one,) in rows(place, "SELECT submission_id FROM ops.submissions"))


def test_every_question_of_every_form_is_reached_or_the_reason_told(place: Workspace) -> None:
    for form_id in FORMS:
        file = place.root / "made-up" / f"{form_id}-1" / "report.json"
        report = json.loads(file.read_text(encoding="utf-8"))
        assert (report["broken"], report["unsatisfied"]) == (0, {})
        assert all(report["unreached"].values())


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    site = workspace(tmp_path / "w")
    made_up(site, "jam_session", 3, ("all",))
    before = contents(site)
    (site.root / "made-up").rename(tmp_path / "first")
    made_up(site, "jam_session", 3, ("all",))
    assert contents(site) == before
    assert len(before) == 5


def contents(site: Workspace) -> dict[str, bytes]:
    root = site.root / "made-up"
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}
