"""`dialogkit explain`: the whole story of a submission, and never an answer."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from dialogkit.cli.main import cli
from dialogkit.pull.batches import batches
from dialogkit.steps.held import decide_held
from dialogkit.steps.run import snapshot
from dialogkit.warehouse.connect import writing
from dialogkit.workspace import Workspace, open_workspace
from tests.builders import Row, land_batch, make_form, received, write_batch

ROWS: list[Row] = [
    ("text", "name", {"disclosure": "direct"}),
    ("integer", "age"),
    ("image", "photo"),
    ("repeat", "r"),
    ("text", "r/x"),
]
FORM = make_form("visit", "1", ROWS)
OTHER = make_form("other", "1", ROWS)
ASKED: list[Row] = [
    ("select_one", "basis", {"concept": "consent.basis", "choices": ["public_source"]}),
    ("text", "gate", {"concept": "consent.gate"}),
]
PAGE = make_form("page", "1", ASKED)
ANSWERS = {"name": "Zebracorn", "age": "Zebracorn", "strange": "Zebracorn", "photo": "Zebracorn.jpg"}
ANSWERS |= {"r": [{"r/x": "Zebracorn", "r/odd": "Zebracorn"}]}


def run(*arguments: str | Path):
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """`uuid:aa1` is held, released and edited since; `uuid:ab2` was refused; `uuid:ac3` waits."""
    root = tmp_path_factory.mktemp("site")
    (root / "dialogkit.toml").write_text('[forms.visit]\nfile = "visit.xlsx"\n')
    workspace = open_workspace(root)
    bring(
        workspace,
        received(FORM, ANSWERS, "uuid:aa1", files=["Zebracorn.jpg"]),
        received(FORM, {}, "uuid:ab2", refused="nobody agreed"),
        hold={"uuid:aa1": "RULE-004"},
        content={"Zebracorn.jpg": b"12345"},
    )
    decide_held(workspace, "uuid:aa1", "release", "asked again", "Lea")
    facts = {"instance_id": "uuid:aa1-2", "edited": True, "review_state": "approved", "version": "7"}
    bring(workspace, received(FORM, ANSWERS, "uuid:aa1", **facts), hold={"uuid:aa1": "RULE-004"})
    write_batch(workspace.batches, FORM, [received(FORM, ANSWERS, "uuid:ac3")])
    return workspace


@pytest.fixture
def place(made: Workspace, tmp_path: Path) -> Workspace:
    """A copy that a test may spoil."""
    shutil.copytree(made.root, tmp_path / "site")
    return open_workspace(tmp_path / "site")


def bring(workspace: Workspace, *some, form=FORM, hold=None, **facts) -> None:
    time.sleep(0.002)  # batches are named by the millisecond
    with writing(workspace.warehouse) as db:
        land_batch(db, write_batch(workspace.batches, form, some, **facts), form, hold=hold)


def told(workspace: Workspace, name: str):
    result = run("explain", name, "--json", "-w", workspace.root)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "Zebracorn" not in result.stdout
    return json.loads(result.stdout)


def test_the_json_has_every_version_every_decision_and_every_place(place):
    (one,) = told(place, "aa1")
    assert (one["form_id"], one["submission_id"], one["state"]) == ("visit", "uuid:aa1", "held")
    first, released, edited = one["versions"]
    assert [version["state"] for version in one["versions"]] == ["held", "accepted", "held"]
    assert [version["reason"] for version in one["versions"]] == ["RULE-004", "asked again", "RULE-004"]
    assert first["batch_id"] == released["batch_id"] == batches(place.batches, "visit")[0].name
    assert (first["until"], released["until"]) == (released["since"], edited["since"])
    assert (first["server"], first["version_known"], edited["version_known"]) == ("field", True, False)
    assert (edited["until"], edited["edited"], edited["review_state"]) == (None, True, "approved")
    assert (edited["form_version"], edited["instance_id"]) == ("7", "uuid:aa1-2")
    assert [(it["decision"], it["by"], it["reason"]) for it in one["decisions"]] == [("release", "Lea", "asked again")]
    assert one["violations"] == [
        {"rule": "RULE-004", "action": "hold", "path": "", "row": "", "message": "RULE-004 is broken."}
    ]
    assert {"path": "age", "row": "", "kind": "integer"} in one["issues"]
    assert one["drift"] == [{"path": "r/odd", "row": "1"}, {"path": "strange", "row": ""}]
    assert one["rows"] == {"visit": {"held": 1, "history": 1}, "visit__r": {"held": 1, "history": 1}}
    assert (one["file_sizes"], one["sources"], one["waiting"], one["releases"]) == ([], 0, [], [])
    assert set(one) == {
        *("form_id", "submission_id", "state", "versions", "decisions", "violations", "issues", "drift"),
        *("file_sizes", "sources", "rows", "corrections", "waiting", "releases"),
    }


def test_the_page_tells_it_oldest_first_and_says_a_decision_once(place):
    result = run("explain", "uuid:aa1", "-w", place.root)
    assert result.exit_code == 0
    assert "visit, submission uuid:aa1: held" in result.stdout
    lines = [line for line in result.stdout.splitlines() if "received from" in line or "by Lea" in line]
    assert [("received" in line, "released by Lea: asked again" in line) for line in lines] == [
        (True, False),
        (False, True),
        (True, False),
    ]
    assert result.stdout.count("form version 7, which nobody here knows") == 1
    assert result.stdout.count("held, because it breaks RULE-004") == 2
    for words in ("RULE-004 is broken.", "age", "does not fit integer", "r/odd, row 1", "strange"):
        assert words in result.stdout
    assert "Zebracorn" not in result.stdout


def test_files_are_counted_and_never_named(place):
    bring(
        place,
        received(FORM, {"photo": "Zebracorn.jpg"}, "uuid:photo", files=["Zebracorn.jpg"]),
        content={"Zebracorn.jpg": b"12345"},
    )
    assert told(place, "photo")[0]["file_sizes"] == [5]
    assert "Zebracorn" not in run("explain", "photo", "-w", place.root).stdout


def test_a_refused_one_has_its_reason(place):
    (one,) = told(place, "ab2")
    assert (one["state"], one["versions"][0]["reason"], one["rows"]) == ("refused", "nobody agreed", {})
    assert "refused: nobody agreed" in run("explain", "ab2", "-w", place.root).stdout


def test_one_that_waits_in_a_batch_is_found_too(place):
    (one,) = told(place, "ac3")
    (waiting,) = one["waiting"]
    assert (one["state"], waiting["batch_id"]) == (None, batches(place.batches, "visit")[-1].name)
    page = run("explain", "ac", "-w", place.root).stdout
    assert "uuid:ac3: not landed yet" in page
    assert "waits: load it with dialogkit land" in page


def test_a_newer_version_that_waits_is_told_with_the_story(place):
    write_batch(place.batches, FORM, [received(FORM, {}, "uuid:ab2", instance_id="uuid:ab2-2")])
    (one,) = told(place, "ab2")
    assert (one["state"], len(one["waiting"])) == ("refused", 1)


@pytest.mark.parametrize("name", ["a", "uuid:a", "zz", "", "%", "uuid:"])
def test_warehouse_040_which_one_is_meant(place, name):
    result = run("explain", name, "-w", place.root)
    many = name in ("a", "uuid:a", "", "uuid:")
    message = "More than one submission begins so." if many else "No submission of this id has come."
    fix = "Give the whole id." if many else "What is on the server but not here yet comes with: dialogkit run"
    assert (result.exit_code, result.stdout) == (9, "")
    assert result.stderr == f"error[WAREHOUSE-040] submission {name}\n  {message}\n  {fix}\n"


def test_a_whole_id_wins_over_one_that_begins_with_it(place):
    bring(place, received(FORM, {}, "uuid:aa12"))
    assert [one["submission_id"] for one in told(place, "uuid:aa1")] == ["uuid:aa1"]


def test_an_id_that_two_forms_share_gives_both_stories(place):
    bring(place, received(OTHER, {"age": "4"}, "uuid:aa1"), form=OTHER)
    assert [(one["form_id"], one["state"]) for one in told(place, "aa1")] == [("other", "accepted"), ("visit", "held")]


def test_before_the_first_landing_only_batches_tell(tmp_path):
    (tmp_path / "dialogkit.toml").write_text('[forms.visit]\nfile = "visit.xlsx"\n')
    workspace = open_workspace(tmp_path)
    write_batch(workspace.batches, FORM, [received(FORM, ANSWERS, "uuid:only")])
    assert told(workspace, "only")[0]["state"] is None


def test_batch_003_a_waiting_batch_that_is_damaged_is_said(place):
    lines = batches(place.batches, "visit")[-1] / "submissions.ndjson.zst"
    lines.write_bytes(lines.read_bytes()[:30])
    result = run("explain", "ac3", "-w", place.root)
    assert result.exit_code == 6
    assert "error[BATCH-003]" in result.stderr


# --- releases


def release(workspace: Workspace, name: str, made_of: str, form_id: str = "visit") -> None:
    folder = workspace.releases / name
    folder.mkdir(parents=True)
    facts = {"date": "2026-11-21", "snapshot": {"name": made_of}, "forms": [{"form_id": form_id}]}
    (folder / "manifest.json").write_text(json.dumps(facts))


def test_a_release_holds_what_the_snapshot_it_was_made_of_would_publish(place):
    page = {"basis": "public_source", "gate": "1"}
    bring(place, received(PAGE, page, "uuid:page", origin="import"), form=PAGE, origin="import", server="")
    bring(place, received(PAGE, page, "uuid:phone"), form=PAGE)
    made_of = snapshot(place).name
    release(place, "2026-11-21-1", made_of, form_id="page")
    release(place, "2026-11-21-2", made_of, form_id="other")
    (place.releases / "notes").mkdir()
    (place.releases / "notes" / "manifest.json").write_text('{"snapshot": {"name": "../../x"}}')
    (one,) = told(place, "page")
    assert one["releases"] == [{"name": "2026-11-21-1", "date": "2026-11-21", "held": "yes"}]
    assert told(place, "phone")[0]["releases"][0]["held"] == "no"
    assert "its record is in it" in run("explain", "page", "-w", place.root).stdout


def test_without_that_snapshot_it_is_only_known_what_was_accepted_then(place):
    bring(place, received(FORM, {"age": "4"}, "uuid:good"))
    path = snapshot(place)
    release(place, "r1", path.name)
    release(place, "r0", "20200101T000000000000Z.duckdb")
    path.unlink()
    held = {one["name"]: one["held"] for one in told(place, "good")[0]["releases"]}
    assert held == {"r0": "no", "r1": "perhaps"}
    assert {one["held"] for one in told(place, "aa1")[0]["releases"]} == {"no"}
