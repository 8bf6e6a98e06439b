"""Deploy over HTTP: to the look-alikes of KoboToolbox and ODK Central, with the real clients."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from dialogkit.errors import FormError, ServerRefused
from dialogkit.forms.versions import find_version
from dialogkit.servers.share import settings_of
from dialogkit.steps.deploy import deploy
from dialogkit.steps.deploy_plan import Wanted
from dialogkit.steps.deployments import NAME, read_deployments, remote_ids
from dialogkit.steps.share import share
from dialogkit.workspace import Workspace, open_workspace
from tests.lookalikes import central, kobo

FORM = """
| survey | type | name | label | relevant |
| | integer | n_people | How  many ? | |
| | {type} | minutes | How long? | {relevant} |
| settings | form_id | version | form_title |
| | talk | {version} | Talk |
"""


@pytest.fixture(params=["kobo", "central"])
def workspace(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    """A workspace whose server `there` is a look-alike, with one form on it."""
    if request.param == "kobo":
        with kobo.lookalike() as place:
            monkeypatch.setenv("T", place.token)
            yield _on(tmp_path, f'kind = "kobo"\nurl = "{place.url}"\ntoken_env = "T"\n')
    else:
        with central.lookalike() as place:
            monkeypatch.setenv("E", place.email)
            monkeypatch.setenv("P", place.password)
            more = f'project_id = {place.project_id}\nemail_env = "E"\npassword_env = "P"\n'
            yield _on(tmp_path, f'kind = "central"\nurl = "{place.url}"\n{more}')


def _on(root: Path, server: str) -> Workspace:
    form = '[forms.talk]\nfile = "talk.md"\nserver = "there"\n'
    (root / "dialogkit.toml").write_text(f"[servers.there]\n{server}{form}")
    workspace = open_workspace(root)
    write(workspace)
    return workspace


def write(workspace: Workspace, version: str = "1", kind: str = "integer", relevant: str = "") -> None:
    workspace.form_file("talk").write_text(FORM.format(version=version, type=kind, relevant=relevant))


def actions(workspace: Workspace, **wanted) -> list[str]:
    return [plan.action for plan in deploy(workspace, (), Wanted(**wanted))]


def test_a_form_goes_through_its_life(workspace):
    assert actions(workspace, dry_run=True) == ["create"]
    assert actions(workspace) == ["create"]
    assert actions(workspace) == ["nothing"]
    write(workspace, version="2", relevant="${n_people} > 1")
    assert actions(workspace) == ["replace"]
    assert actions(workspace) == ["nothing"]
    assert actions(workspace, archive=True) == ["archive"]
    assert actions(workspace) == ["open"]
    assert actions(workspace) == ["nothing"]


def test_what_was_placed_and_never_noted_is_found_and_compared_with_what_the_server_gives_back(workspace):
    deploy(workspace, (), Wanted())
    there = remote_ids(workspace, "there")
    lose(workspace)
    write(workspace, version="2", kind="decimal")
    shown = []
    with pytest.raises(ServerRefused) as caught:
        deploy(workspace, (), Wanted(), shown.append)
    assert caught.value.code == "SERVER-081"
    assert [one.kind for one in shown[0].comparison.changes] == ["version", "retyped"]
    write(workspace, version="2")
    assert actions(workspace) == ["replace"]
    assert remote_ids(workspace, "there") == there


def lose(workspace: Workspace) -> None:
    """As on the computer of a colleague: neither deployments.json nor the versions that were placed are there."""
    (workspace.root / NAME).unlink()
    for path in workspace.versions.rglob("*.json"):
        path.unlink()


def test_what_was_placed_from_elsewhere_and_is_the_same_is_taken_over(workspace):
    deploy(workspace, (), Wanted())
    before = read_deployments(workspace)
    lose(workspace)
    assert actions(workspace, dry_run=True) == ["nothing"]
    assert not (workspace.root / NAME).exists()
    assert actions(workspace) == ["nothing"]
    assert [replace(one, versions=()) for one in read_deployments(workspace)] == [
        replace(one, versions=()) for one in before
    ]
    assert [(one.version, one.remote_version, one.content) for one in read_deployments(workspace)[0].versions] == [
        (one.version, one.remote_version, one.content) for one in before[0].versions
    ]
    assert find_version(workspace.versions, "talk", "1") is not None
    assert actions(workspace) == ["nothing"]


def test_what_was_placed_from_elsewhere_and_archived_is_opened(workspace):
    deploy(workspace, (), Wanted())
    deploy(workspace, (), Wanted(archive=True))
    lose(workspace)
    assert actions(workspace) == ["open"]
    assert actions(workspace) == ["nothing"]


def test_form_071_what_was_placed_from_elsewhere_under_the_same_version_and_differs_is_refused(workspace):
    deploy(workspace, (), Wanted())
    lose(workspace)
    write(workspace, relevant="${n_people} > 1")
    with pytest.raises(FormError) as caught:
        deploy(workspace, (), Wanted())
    assert caught.value.code == "FORM-071"


def test_phones_are_let_in_and_the_code_leads_them_there(workspace):
    deploy(workspace, (), Wanted())
    code = share(workspace, form_id="talk", label="anonymous")
    assert settings_of(code.text)["general"]["server_url"] == code.url
    assert code.username == ""
    assert share(workspace, form_id="talk", label="anonymous").url == code.url
