"""Write back: shown first, checked against the form, sent to the server that the submission came from."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from dialogkit.errors import DialogkitError, NotOnServer, ServerRefused, WarehouseError
from dialogkit.forms.remote_copy import remote_copy, xlsx_bytes
from dialogkit.instance import write_instance
from dialogkit.servers.openrosa import OpenRosaServer
from dialogkit.servers.openrosa_review import OpenRosaReview
from dialogkit.steps.forms import prepare
from dialogkit.steps.query import query
from dialogkit.steps.review import Wish, plan_review, refused_of, send_review
from dialogkit.steps.review_checks import misfits, not_recalculated
from dialogkit.steps.run import run
from dialogkit.steps.serve import access_of, serving
from dialogkit.workspace import Workspace, open_workspace
from tests.builders import land_batch, make_form, received, write_batch
from tests.lookalikes import central

FORM = """
| survey |
|        | type             | name      | label      | calculation        | required | concept |
|        | select_one yn    | record    | Record?    |                    |          | consent.record |
|        | calculate        | twice     |            | ${n} * 2           |          | |
|        | begin group      | g         | Main       |                    |          | |
|        | text             | said      | What?      |                    |          | |
|        | integer          | n         | How many   |                    | yes      | |
|        | image            | photo     | Photo      |                    |          | |
|        | begin repeat     | person    | People     |                    |          | |
|        | text             | who       | Who        |                    |          | |
|        | end repeat       |           |            |                    |          | |
|        | end group        |           |            |                    |          | |
| choices |
|         | list_name | name | label |
|         | yn        | yes  | Yes   |
|         | yn        | no   | No    |
| settings |
|          | form_title | form_id | version |
|          | Talk       | talk    | 1       |
"""
ANSWERS = {
    "record": "yes",
    "twice": "8",
    "g/said": "Zebracorn",
    "g/n": "4",
    "g/photo": "a.jpg",
    "g/person": [{"g/person/who": "Bo"}, {"g/person/who": "Di"}],
}


@dataclass
class World:
    """A workspace with the form on a server, what sends a submission there, and the look-alike where there is one."""

    workspace: Workspace
    new: Callable[[str, Mapping[str, object]], str]
    central: central.Place | None = None

    def said(self) -> list[tuple[object, ...]]:
        return query(self.workspace, "SELECT said, n, _review_state, _edited FROM accepted.talk ORDER BY 1")[1]


def workspace_in(folder: Path, server: str) -> Workspace:
    (folder / "talk.md").write_text(FORM)
    head = '[workspace]\nname = "T"\nteam_contact = "us"\nteam_server = "here"\n'
    (folder / "dialogkit.toml").write_text(f'{head}{server}[forms.talk]\nfile = "talk.md"\nserver = "field"\n')
    return open_workspace(folder)


@contextmanager
def ours(folder: Path) -> Iterator[World]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    workspace = workspace_in(folder, f'[servers.field]\nkind = "openrosa"\nlisten = "127.0.0.1:{port}"\n')
    with serving(workspace) as at:
        phone = OpenRosaServer("phone", at.phone_url)

        def new(submission_id: str, answers: Mapping[str, object]) -> str:
            form = prepare(workspace, "talk").form
            phone.send(write_instance(form, answers, submission_id), {"a.jpg": b"a picture"})
            return submission_id

        yield World(workspace, new)


@contextmanager
def central_world(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with central.lookalike() as place:
        monkeypatch.setenv("TEST_EMAIL", place.email)
        monkeypatch.setenv("TEST_PASSWORD", place.password)
        workspace = workspace_in(
            folder,
            f'[servers.field]\nkind = "central"\nurl = "{place.url}"\nproject_id = {place.project_id}\n'
            'email_env = "TEST_EMAIL"\npassword_env = "TEST_PASSWORD"\n',
        )
        place.state.publish(xlsx_bytes(remote_copy(folder / "talk.md", {})))

        def new(submission_id: str, answers: Mapping[str, object]) -> str:
            return place.state.new("talk", answers, {"a.jpg": b"a picture"}, instance_id=submission_id)

        yield World(workspace, new, place)


@pytest.fixture(params=["ours", "central"])
def world(request, tmp_path, monkeypatch) -> Iterator[World]:
    with ours(tmp_path) if request.param == "ours" else central_world(tmp_path, monkeypatch) as made:
        made.new("uuid:aa1", ANSWERS)
        made.new("uuid:ab2", ANSWERS | {"g/said": "Quokka"})
        run(made.workspace)
        yield made


@pytest.fixture
def field(tmp_path) -> Iterator[World]:
    with ours(tmp_path) as made:
        made.new("uuid:aa1", ANSWERS)
        run(made.workspace)
        yield made


def send(world: World, ids, wish: Wish):
    plan = plan_review(world.workspace, "talk", ids, wish)
    return plan, list(send_review(plan))


# --- corrections


def test_a_correction_is_seen_after_the_next_pull_and_all_else_stays(world):
    before = everything_but_said(world)
    plan, sent = send(world, ["aa1"], Wish(changes={"g/said": "put right", "g/n": "5"}))
    assert [(one.submission_id, one.corrected, one.error) for one in sent] == [("uuid:aa1", True, None)]
    assert refused_of(plan, sent) is None
    run(world.workspace)
    found = {row[0]: row for row in world.said()}
    assert set(found) == {"put right", "Quokka"}
    assert found["put right"][1:] == (5, "edited" if world.central else "", True)
    assert everything_but_said(world) == before


def everything_but_said(world: World) -> list[object]:
    people = query(world.workspace, "SELECT _submission_id, _row, who FROM accepted.talk__person ORDER BY ALL")[1]
    main = query(world.workspace, "SELECT _submission_id, record, twice, photo FROM accepted.talk ORDER BY ALL")[1]
    return [people, main]


def test_a_correction_carries_the_files_of_the_submission(field):
    send(field, ["aa1"], Wish(changes={"g/said": "put right"}))
    run(field.workspace)
    from dialogkit.pull.batches import batches, open_batch

    batch = open_batch(batches(field.workspace.batches, "talk")[-1])
    assert batch.attachment("uuid:aa1", "a.jpg").read_bytes() == b"a picture"


def test_an_answer_can_be_taken_away(field):
    send(field, ["aa1"], Wish(changes={"g/said": ""}))
    run(field.workspace)
    assert field.said() == [(None, 4, "", True)]


def test_corrections_follow_one_another_also_before_the_next_pull(field):
    for text in ("one", "two", "three"):
        _, sent = send(field, ["uuid:aa1"], Wish(changes={"g/said": text}))
        assert sent[0].error is None
    run(field.workspace)
    assert field.said() == [("three", 4, "", True)]


def test_what_is_planned_sends_nothing(world):
    plan_review(world.workspace, "talk", ["aa1"], Wish(changes={"g/said": "never sent"}))
    run(world.workspace)
    assert [row[0] for row in world.said()] == ["Quokka", "Zebracorn"]


def test_what_is_shown_holds_no_answer_neither_old_nor_new(world):
    plan = plan_review(world.workspace, "talk", ["aa1"], Wish(changes={"g/said": "Wombat", "g/n": "77777"}))
    shown = repr(plan.changes)
    assert "Zebracorn" not in shown
    assert "Wombat" not in shown
    assert "77777" not in shown
    assert [(one.what, one.before, one.after) for one in plan.changes] == [
        ("g/said (What?)", "not shown", "6 characters"),
        ("g/n (How many)", "not shown", "5 characters"),
    ]
    assert plan.stale == ("twice",)


# --- review states


@pytest.fixture
def reviewed(tmp_path, monkeypatch) -> Iterator[World]:
    with central_world(tmp_path, monkeypatch) as made:
        for name in ("aa1", "ab2"):
            made.new(f"uuid:{name}", ANSWERS | {"g/said": name})
        run(made.workspace)
        yield made


def test_a_review_state_and_a_comment_reach_the_server_and_the_next_pull(reviewed):
    plan, sent = send(reviewed, ["aa", "uuid:ab2"], Wish(state="approved", comment="looks right"))
    assert [(one.submission_id, one.what, one.before, one.after) for one in plan.changes] == [
        ("uuid:aa1", "review state", "none", "approved"),
        ("uuid:aa1", "comment", "", "11 characters"),
        ("uuid:ab2", "review state", "none", "approved"),
        ("uuid:ab2", "comment", "", "11 characters"),
    ]
    assert [one.error for one in sent] == [None, None]
    run(reviewed.workspace)
    assert [row[2] for row in reviewed.said()] == ["approved", "approved"]
    again = plan_review(reviewed.workspace, "talk", ["aa"], Wish(state="has_issues"))
    assert again.changes[0].before == "approved"


def test_a_correction_comes_before_the_state_so_that_the_state_stays(reviewed):
    send(reviewed, ["aa"], Wish(state="approved", changes={"g/said": "put right"}))
    run(reviewed.workspace)
    assert ("put right", 4, "approved", True) in reviewed.said()


def test_one_that_is_gone_is_told_and_the_others_are_sent(reviewed):
    assert reviewed.central
    reviewed.central.state.delete("uuid:aa1")
    plan, sent = send(reviewed, ["aa", "ab"], Wish(state="rejected"))
    assert isinstance(sent[0].error, NotOnServer)
    assert sent[1].error is None
    error = refused_of(plan, sent)
    assert error is not None
    assert (error.code, error.exit_code) == ("SERVER-119", 5)
    assert error.problem.message.startswith("1 of 2 submissions")


def test_a_wrong_password_is_tried_once(reviewed, monkeypatch):
    assert reviewed.central
    monkeypatch.setenv("TEST_PASSWORD", "wrong password here")
    plan, sent = send(reviewed, ["aa", "ab"], Wish(state="rejected"))
    assert len(sent) == 1
    assert refused_of(plan, sent) is not None


def test_server_110_our_own_server_knows_no_review_states(field):
    for wish in (Wish(state="approved"), Wish(comment="x"), Wish("approved", "", {"g/said": "x"})):
        with pytest.raises(ServerRefused, match="SERVER-110"):
            plan_review(field.workspace, "talk", ["aa1"], wish)
    token = access_of(field.workspace).token("staff")
    at = f"http://{field.workspace.config.servers['field'].listen}/key/{token}"
    server = OpenRosaReview(OpenRosaServer("field", at, embedded=True))
    form = prepare(field.workspace, "talk").form
    with pytest.raises(ServerRefused, match="SERVER-110"):
        server.review("talk", "uuid:aa1", "approved", "")
    with pytest.raises(ServerRefused, match="SERVER-110"):
        server.correct(form, "uuid:aa1", {"g/said": "x"}, "a comment")
    with pytest.raises(ServerRefused, match="SERVER-110"):
        server.correct(form, "uuid:aa1", {"g/person/who": "x"}, "")
    with pytest.raises(NotOnServer, match="SERVER-115"):
        server.correct(form, "uuid:nobody", {"g/said": "x"}, "")


# --- which submission


def test_warehouse_034_an_id_that_is_not_there_or_not_enough_is_refused(world):
    for name in ("a", "nobody", ""):
        with pytest.raises(WarehouseError, match="WAREHOUSE-034"):
            plan_review(world.workspace, "talk", ["aa1", name], Wish(changes={"g/said": "x"}))


def test_warehouse_035_what_came_from_elsewhere_is_changed_there(field):
    from dialogkit.warehouse.connect import writing

    form = prepare(field.workspace, "talk").form
    batch = write_batch(field.workspace.batches, form, [received(form, {"g/n": "1"}, "uuid:other")], server="old")
    with writing(field.workspace.warehouse) as db:
        land_batch(db, batch)
    with pytest.raises(WarehouseError, match="WAREHOUSE-035") as caught:
        plan_review(field.workspace, "talk", ["other"], Wish(changes={"g/said": "x"}))
    assert "from old" in caught.value.problem.message


def test_a_submission_of_an_unknown_version_is_not_corrected(field):
    from dialogkit.warehouse.connect import writing

    form = prepare(field.workspace, "talk").form
    old = received(form, {"g/n": "1"}, "uuid:other", version="0")
    with writing(field.workspace.warehouse) as db:
        land_batch(db, write_batch(field.workspace.batches, form, [old]))
    with pytest.raises(ServerRefused, match="SERVER-114"):
        plan_review(field.workspace, "talk", ["other"], Wish(changes={"g/said": "x"}))


# --- what fits the form

KINDS = make_form(
    "kinds",
    "1",
    [
        ("text", "g/said"),
        ("integer", "n", {"required": "yes"}),
        ("decimal", "d"),
        ("date", "day"),
        ("time", "at"),
        ("datetime", "moment"),
        ("geopoint", "spot"),
        ("geotrace", "way"),
        ("select_one", "one", {"choices": ["a", "b"]}),
        ("select_multiple", "many", {"choices": ["a", "b"]}),
        ("image", "photo"),
        ("note", "hint"),
        ("start", "began"),
        ("calculate", "sum", {"calculation": "${n} + ${ d }"}),
        ("text", "by_itself", {"calculation": "${n}"}),
        ("repeat", "r"),
        ("text", "r/x"),
        ("select_one", "agree", {"choices": ["yes", "no"], "concept": "consent.publish_anon"}),
        ("text", "page", {"concept": "meta.source_ref"}),
    ],
)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("g/said", "any word"),
        ("g/said", ""),
        ("n", "-12"),
        ("d", "1.5e3"),
        ("day", "2026-02-28"),
        ("at", "14:30"),
        ("at", "14:30:15.250+02:00"),
        ("moment", "2026-10-01T14:30:00.000Z"),
        ("spot", "51.5 -0.12"),
        ("spot", "51.5 -0.12 10 5"),
        ("way", "1 2 0 0; 3 4 0 0"),
        ("one", "b"),
        ("many", "b a"),
    ],
)
def test_what_fits_the_question_is_taken(path, text):
    assert misfits(KINDS, {path: text}) == []


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("g/said", "bell \x07"),
        ("n", "12.5"),
        ("n", " 12"),
        ("n", ""),
        ("d", "a lot"),
        ("d", "nan"),
        ("day", "2026-02-30"),
        ("day", "20260228"),
        ("at", "25:00"),
        ("moment", "2026-10-01T14:30:00"),
        ("moment", "2026-10-01"),
        ("spot", "91 0"),
        ("spot", "51.5"),
        ("way", "1 2; here"),
        ("one", "c"),
        ("one", "a b"),
        ("many", "a  b"),
        ("many", "a c"),
        ("many", "a a"),
    ],
)
def test_server_118_what_does_not_fit_the_question_is_refused_and_not_quoted(path, text):
    (problem,) = misfits(KINDS, {path: text})
    assert problem.code == "SERVER-118"
    assert text.strip() not in problem.message or not text.strip()


@pytest.mark.parametrize("path", ["photo", "began", "sum", "by_itself", "r/x", "agree", "page"])
def test_server_114_what_no_person_typed_or_only_the_participant_may_say_is_not_corrected(path):
    (problem,) = misfits(KINDS, {path: "yes"})
    assert problem.code == "SERVER-114"


@pytest.mark.parametrize(
    ("path", "fix"),
    [("said", "Did you mean g/said?"), ("g/sad", "Did you mean g/said?"), ("hint", ""), ("zzz", "full path")],
)
def test_server_113_a_path_that_is_no_question_gets_a_suggestion(path, fix):
    (problem,) = misfits(KINDS, {path: "x"})
    assert problem.code == "SERVER-113"
    assert fix in problem.fix


def test_calculations_that_use_a_corrected_answer_are_named():
    assert not_recalculated(KINDS, {"n": "1"}) == ["sum", "by_itself"]
    assert not_recalculated(KINDS, {"d": "1"}) == ["sum"]
    assert not_recalculated(KINDS, {"g/said": "1"}) == []


def test_all_that_does_not_fit_is_told_at_once_and_nothing_is_sent(field):
    changes = {"g/sad": "x", "record": "no", "g/n": "many"}
    with pytest.raises(DialogkitError) as caught:
        plan_review(field.workspace, "talk", ["aa1"], Wish(changes=changes))
    assert [problem.code for problem in (*caught.value.problems, caught.value.problem)] == [
        "SERVER-113",
        "SERVER-114",
        "SERVER-118",
    ]
    assert "Nothing was sent." in caught.value.problem.message
