"""Deploy: what is placed, when nothing is, what is refused, and that a killed run is made good by the next."""

from __future__ import annotations

import json
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import pytest
from filelock import FileLock
from openpyxl import load_workbook

from dialogkit.errors import ConfigError, FormError, NotOnServer, ServerRefused, UnexpectedReply
from dialogkit.forms.build import build_form
from dialogkit.forms.versions import find_version
from dialogkit.steps import servers
from dialogkit.steps.deploy import deploy
from dialogkit.steps.deploy_plan import Wanted
from dialogkit.steps.deployments import NAME, read_deployments, remote_ids, remote_versions
from dialogkit.workspace import Workspace, open_workspace
from tests.memory_host import GivingHost, Killed, MemoryHost

FORM = """
| survey | type | name | label | calculation | media::image |
| | calculate | team_contact | | '[contact]' | |
| | {kind} | said | What? | | |
| | {more} | more | More? | | a.png |
| settings | form_id | version | form_title |
| | talk | {version} | Talk |
"""
TOML = """
[workspace]
team_contact = "us@example.org"
[servers.field]
kind = "openrosa"
listen = "127.0.0.1:8790"
[servers.kobo]
kind = "kobo"
url = "https://kf.example.org"
token_env = "T"
[servers.central]
kind = "central"
url = "https://central.example.org"
project_id = 3
email_env = "E"
password_env = "P"
[forms.talk]
file = "forms/talk.md"
server = "kobo"
[forms.here]
file = "forms/here.md"
server = "field"
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "dialogkit.toml").write_text(TOML)
    (tmp_path / "forms" / "media").mkdir(parents=True)
    (tmp_path / "forms" / "media" / "a.png").write_bytes(b"png")
    write(tmp_path)
    return open_workspace(tmp_path)


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> MemoryHost:
    return serve(monkeypatch, MemoryHost())


def serve(monkeypatch: pytest.MonkeyPatch, host: MemoryHost) -> MemoryHost:
    """Every server of the workspace is this one."""
    monkeypatch.setattr(servers, "host_of", lambda _workspace, _section: host)
    return host


def write(root: Path, version: str = "1", kind: str = "text", more: str = "text") -> None:
    (root / "forms" / "talk.md").write_text(FORM.format(version=version, kind=kind, more=more))


def actions(workspace: Workspace, **wanted) -> list[str]:
    return [plan.action for plan in deploy(workspace, (), Wanted(**wanted))]


def noted(workspace: Workspace) -> dict:
    return json.loads((workspace.root / NAME).read_text())


def test_a_form_is_placed_with_its_media_and_what_came_of_it_is_noted(workspace, host):
    assert actions(workspace) == ["create"]
    assert list(host.uploads["a1"].media) == ["a.png"]
    only = noted(workspace)["deployments"][0]
    version = only["versions"][0]
    assert noted(workspace)["format"] == 1
    assert (only["server"], only["form_id"], only["remote_id"], only["active"]) == ("kobo", "talk", "a1", True)
    assert (version["version"], version["remote_version"], len(version["content"])) == ("1", "v1", 64)
    assert version["deployed_at"].endswith("Z")
    assert remote_ids(workspace, "kobo") == {"talk": "a1"}
    assert remote_ids(workspace, "central") == {}
    assert remote_versions(workspace, "kobo", "talk") == {"v1": "1"}
    assert find_version(workspace.versions, "talk", "1") is not None


def test_the_copy_for_kobotoolbox_carries_form_id_and_version_and_the_texts_of_the_team(workspace, host, tmp_path):
    deploy(workspace, (), Wanted())
    (tmp_path / "copy.xlsx").write_bytes(host.uploads["a1"].workbook)
    form = build_form(tmp_path / "copy.xlsx").form
    assert form.by_path["dialogkit_form_id"].calculation == "'talk'"
    assert form.by_path["dialogkit_form_version"].calculation == "'1'"
    assert form.by_path["team_contact"].calculation == "'us@example.org'"


def test_the_copy_for_odk_central_carries_neither(workspace, host, tmp_path):
    deploy(workspace, ["talk"], Wanted(server="central"))
    (tmp_path / "copy.xlsx").write_bytes(host.uploads["a1"].workbook)
    assert [question.name for question in build_form(tmp_path / "copy.xlsx").form.questions] == [
        "team_contact",
        "said",
        "more",
    ]
    assert noted(workspace)["deployments"][0]["server"] == "central"


def test_a_text_that_begins_like_a_formula_is_uploaded_as_a_text(workspace, host):
    text = (workspace.root / "forms" / "talk.md").read_text()
    (workspace.root / "forms" / "talk.md").write_text(text.replace("What?", "=What?"))
    deploy(workspace, (), Wanted())
    cells = [cell for row in load_workbook(BytesIO(host.uploads["a1"].workbook))["survey"] for cell in row]
    assert [cell.data_type for cell in cells if cell.value == "=What?"] == ["s"]


def test_what_is_there_as_it_is_here_is_left_alone(workspace, host):
    deploy(workspace, (), Wanted())
    before = (workspace.root / NAME).read_bytes()
    assert actions(workspace) == ["nothing"]
    assert host.asked == ["place"]
    assert (workspace.root / NAME).read_bytes() == before


def test_what_phones_never_meet_makes_nothing_to_do(workspace, host):
    deploy(workspace, (), Wanted())
    text = (workspace.root / "forms" / "talk.md").read_text()
    text = text.replace("| media::image |", "| media::image | concept |").replace("| a.png |", "| a.png | x.y |")
    (workspace.root / "forms" / "talk.md").write_text(text)
    assert actions(workspace) == ["nothing"]


def test_a_file_that_is_missing_on_the_server_is_brought_again(workspace, host):
    deploy(workspace, (), Wanted())
    host.forms["a1"].media["a.png"] = ""
    assert actions(workspace) == ["replace"]
    assert actions(workspace) == ["nothing"]


def test_server_084_a_file_that_does_not_arrive_is_said_and_the_form_not_taken_for_placed(workspace, host):
    host.loses = frozenset({"a.png"})
    with pytest.raises(UnexpectedReply) as caught:
        deploy(workspace, (), Wanted())
    assert caught.value.code == "SERVER-084"
    host.loses = frozenset()
    assert actions(workspace) == ["replace"]
    assert list(host.forms) == ["a1"]


def test_a_new_version_replaces_the_old_one_and_both_are_noted(workspace, host):
    deploy(workspace, (), Wanted())
    write(workspace.root, version="2", more="note")
    with pytest.raises(ServerRefused):
        deploy(workspace, (), Wanted())
    assert actions(workspace, accept_break=True) == ["replace"]
    assert remote_versions(workspace, "kobo", "talk") == {"v1": "1", "v2": "2"}
    assert list(host.forms) == ["a1"]


def test_server_081_what_breaks_is_shown_and_refused_before_anything_is_done(workspace, host):
    deploy(workspace, (), Wanted())
    write(workspace.root, version="2", kind="integer")
    shown = []
    before = (workspace.root / NAME).read_bytes()
    with pytest.raises(ServerRefused) as caught:
        deploy(workspace, (), Wanted(), shown.append)
    assert caught.value.code == "SERVER-081"
    assert [change.kind for change in shown[0].comparison.breaking] == ["retyped"]
    assert host.asked == ["place"]
    assert (workspace.root / NAME).read_bytes() == before
    # No phone has seen it, so it may still change under its version.
    write(workspace.root, version="2")
    assert actions(workspace) == ["replace"]


@pytest.mark.parametrize("change", ["form", "media", "team"])
def test_form_050_or_071_other_content_needs_another_version(workspace, host, change):
    deploy(workspace, (), Wanted())
    if change == "form":
        write(workspace.root, kind="integer")
    elif change == "media":
        (workspace.root / "forms" / "media" / "a.png").write_bytes(b"other")
    else:
        (workspace.root / "dialogkit.toml").write_text(TOML.replace("us@example.org", "them@example.org"))
    with pytest.raises(FormError) as caught:
        deploy(open_workspace(workspace.root), (), Wanted(accept_break=True))
    assert caught.value.code == ("FORM-050" if change == "form" else "FORM-071")
    assert host.asked == ["place"]


def test_a_dry_run_does_nothing_and_keeps_nothing(workspace, host):
    assert actions(workspace, dry_run=True) == ["create"]
    assert host.asked == []
    assert not (workspace.root / NAME).exists()
    assert not workspace.versions.exists()


@pytest.mark.parametrize(
    ("row", "code"), [("| | deviceid | d | |", "FORM-053"), ("| | calculate | team_server | | '[x]' |", "FORM-053")]
)
def test_a_form_that_must_not_be_served_is_never_placed(workspace, host, row, code):
    text = (workspace.root / "forms" / "talk.md").read_text()
    (workspace.root / "forms" / "talk.md").write_text(text.replace("| settings", f"{row}\n| settings"))
    with pytest.raises(FormError) as caught:
        deploy(workspace, (), Wanted())
    assert caught.value.code == code
    assert host.asked == []


def test_form_070_a_question_of_our_name_is_refused(workspace, host):
    text = (workspace.root / "forms" / "talk.md").read_text()
    (workspace.root / "forms" / "talk.md").write_text(text.replace("| said |", "| dialogkit_form_id |"))
    with pytest.raises(FormError) as caught:
        deploy(workspace, (), Wanted())
    assert caught.value.code == "FORM-070"


def test_nothing_is_placed_when_one_of_the_forms_is_refused(workspace, host):
    (workspace.root / "dialogkit.toml").write_text(TOML + '[forms.bad]\nfile = "forms/bad.md"\nserver = "kobo"\n')
    (workspace.root / "forms" / "bad.md").write_text("not a form")
    with pytest.raises(FormError):
        deploy(open_workspace(workspace.root), (), Wanted())
    assert host.asked == []


def test_an_archived_form_is_opened_by_the_next_deploy_without_a_new_upload(workspace, host):
    deploy(workspace, (), Wanted())
    assert actions(workspace, archive=True) == ["archive"]
    assert not host.forms["a1"].active
    assert not noted(workspace)["deployments"][0]["active"]
    assert actions(workspace, archive=True) == ["nothing"]
    assert actions(workspace) == ["open"]
    assert host.forms["a1"].active
    assert noted(workspace)["deployments"][0]["active"]
    assert host.asked == ["place", "set_active False", "set_active True"]


def test_server_082_what_is_not_there_cannot_be_archived(workspace, host):
    with pytest.raises(NotOnServer) as caught:
        deploy(workspace, (), Wanted(archive=True))
    assert caught.value.code == "SERVER-082"


def test_phones_are_let_in_after_the_form_is_placed(workspace, host):
    deploy(workspace, (), Wanted(let_in="phones"))
    assert host.access == [("a1", "phones")]
    assert host.asked == ["place", "let_in phones"]


def test_without_a_form_those_of_the_server_are_meant(workspace, host):
    with pytest.raises(ConfigError) as caught:
        deploy(workspace, (), Wanted(server="central"))
    assert caught.value.code == "CONFIG-043"
    deploy(workspace, ["talk"], Wanted(server="central"))
    assert actions(workspace, server="central") == ["nothing"]


# --- Killed and run again -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", range(3))
@pytest.mark.parametrize("when", ["stop_before", "stop_after"])
@pytest.mark.parametrize("first", [True, False], ids=["create", "replace"])
def test_a_killed_deploy_is_ended_by_the_next_without_a_second_copy(workspace, host, at, when, first):
    if not first:
        deploy(workspace, (), Wanted())
        write(workspace.root, version="2")
    calls = len(host.asked)
    setattr(host, when, calls + at)
    with suppress(Killed):
        deploy(workspace, (), Wanted(let_in="phones"))
    host.stop_before = host.stop_after = -1
    deploy(workspace, (), Wanted(let_in="phones"))
    assert list(host.forms) == ["a1"]
    assert host.access[-1] == ("a1", "phones")
    deployment = read_deployments(workspace)[0]
    assert [one.version for one in deployment.done] == (["1"] if first else ["1", "2"])
    assert deployment.done == deployment.versions
    assert deployment.done[-1].remote_version == host.forms["a1"].remote_version
    assert actions(workspace) == ["nothing"]


def test_a_killed_deploy_that_broke_something_needs_the_same_word_again(workspace, host):
    deploy(workspace, (), Wanted())
    write(workspace.root, version="2", kind="integer")
    host.stop_after = 2
    with pytest.raises(Killed):
        deploy(workspace, (), Wanted(accept_break=True))
    host.stop_after = -1
    with pytest.raises(ServerRefused):
        deploy(workspace, (), Wanted())
    assert actions(workspace, accept_break=True) == ["replace"]


def test_after_a_killed_deploy_the_version_that_may_be_out_cannot_be_changed(workspace, host):
    host.stop_after = 1
    with pytest.raises(Killed):
        deploy(workspace, (), Wanted())
    host.stop_after = -1
    write(workspace.root, kind="integer")
    with pytest.raises(FormError) as caught:
        deploy(workspace, (), Wanted())
    assert caught.value.code == "FORM-071"


def test_a_version_that_the_server_refused_may_be_corrected(workspace, host):
    host.stop_before = 0
    with pytest.raises(Killed):
        deploy(workspace, (), Wanted())
    host.stop_before = -1
    write(workspace.root, kind="integer")
    assert actions(workspace) == ["create"]


def test_server_080_two_deploys_at_once_are_one_too_many(workspace, host):
    workspace.versions.mkdir(parents=True)
    with FileLock(workspace.versions / ".deploy.lock"), pytest.raises(ServerRefused) as caught:
        deploy(workspace, (), Wanted())
    assert caught.value.code == "SERVER-080"


# --- What somebody else placed ------------------------------------------------------------------------------------


def lose(workspace: Workspace) -> None:
    """As a fresh clone whose deployments.json was never committed."""
    (workspace.root / NAME).unlink()
    for path in workspace.versions.rglob("*.json"):
        path.unlink()


def test_server_083_what_nobody_here_knows_is_replaced_on_demand_only(workspace, host):
    deploy(workspace, (), Wanted())
    lose(workspace)
    write(workspace.root, version="2")
    with pytest.raises(ServerRefused) as caught:
        deploy(workspace, (), Wanted())
    assert caught.value.code == "SERVER-083"
    assert actions(workspace, accept_break=True) == ["replace"]
    assert list(host.forms) == ["a1"]


def test_a_server_that_gives_its_workbook_back_is_compared_with(workspace, monkeypatch):
    serve(monkeypatch, GivingHost())
    deploy(workspace, (), Wanted())
    lose(workspace)
    write(workspace.root, version="2", kind="integer")
    shown = []
    with pytest.raises(ServerRefused) as caught:
        deploy(workspace, (), Wanted(), shown.append)
    assert caught.value.code == "SERVER-081"
    assert [(change.kind, change.path) for change in shown[0].comparison.changes] == [
        ("version", ""),
        ("retyped", "said"),
    ]


def test_form_071_a_version_that_somebody_else_placed_cannot_be_changed(workspace, monkeypatch):
    serve(monkeypatch, GivingHost())
    deploy(workspace, (), Wanted())
    lose(workspace)
    write(workspace.root, kind="note")
    with pytest.raises(FormError) as caught:
        deploy(workspace, (), Wanted(accept_break=True))
    assert caught.value.code == "FORM-071"


def test_a_form_that_is_gone_from_the_server_is_placed_anew(workspace, host):
    deploy(workspace, (), Wanted())
    host.forms.clear()
    host.uploads.clear()
    assert actions(workspace) == ["create"]
    assert actions(workspace) == ["nothing"]


# --- deployments.json ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "damage",
    ["", "{", "[]", "null", '{"format": 2, "deployments": []}', '{"format": 1, "deployments": [{"server": 1}]}'],
)
def test_config_040_a_damaged_file_stops_instead_of_placing_a_second_copy(workspace, host, damage):
    (workspace.root / NAME).write_text(damage)
    with pytest.raises(ConfigError) as caught:
        deploy(workspace, (), Wanted())
    assert caught.value.code == "CONFIG-040"
    assert host.asked == []


def test_deployments_stand_in_one_order_whichever_was_placed_first(workspace, host, monkeypatch):
    deploy(workspace, (), Wanted())
    serve(monkeypatch, MemoryHost("central", discards=False))
    deploy(workspace, ["talk"], Wanted(server="central"))
    assert [one["server"] for one in noted(workspace)["deployments"]] == ["central", "kobo"]
    assert (workspace.root / NAME).read_text().endswith("}\n")
