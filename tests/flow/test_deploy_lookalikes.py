"""Deploy over HTTP: to the look-alikes of KoboToolbox and ODK Central, with the real clients."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dialogkit.errors import ServerRefused
from dialogkit.servers.share import settings_of
from dialogkit.steps.deploy import deploy
from dialogkit.steps.deploy_plan import Wanted
from dialogkit.steps.deployments import NAME, remote_ids
from dialogkit.steps.share import share
from dialogkit.workspace import Workspace, open_workspace
from tests.lookalikes import central, kobo

FORM = """
| survey | type | name | label | relevant |
| | integer | n_people | How many? | |
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
    (workspace.root / NAME).unlink()
    for path in workspace.versions.rglob("*.json"):
        path.unlink()
    write(workspace, version="2", kind="decimal")
    shown = []
    with pytest.raises(ServerRefused) as caught:
        deploy(workspace, (), Wanted(), shown.append)
    assert caught.value.code == "SERVER-081"
    assert [one.kind for one in shown[0].comparison.changes] == ["version", "retyped"]
    write(workspace, version="2")
    assert actions(workspace) == ["replace"]
    assert remote_ids(workspace, "there") == there


def test_phones_are_let_in_and_the_code_leads_them_there(workspace):
    deploy(workspace, (), Wanted())
    code = share(workspace, form_id="talk", label="anonymous")
    assert settings_of(code.text)["general"]["server_url"] == code.url
    assert code.username == ""
    assert share(workspace, form_id="talk", label="anonymous").url == code.url
