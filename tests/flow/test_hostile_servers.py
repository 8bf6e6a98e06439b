"""What a hostile reader tried against servers, and what stands in the way since."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from dialogkit import workspace as workspaces
from dialogkit.cli import output
from dialogkit.cli.main import cli
from dialogkit.errors import ServerRefused
from dialogkit.problem import Problem
from dialogkit.pull.certificates import Certificate, write_certificate
from dialogkit.steps import servers
from dialogkit.steps.deploy import deploy
from dialogkit.steps.deploy_plan import Wanted
from dialogkit.steps.deployments import NAME, remote_ids
from dialogkit.steps.share import Shared
from dialogkit.workspace import Workspace, open_workspace
from tests.memory_host import MemoryHost

TOML = """
[servers.kobo]
kind = "kobo"
[forms.talk]
file = "talk.md"
server = "kobo"
"""
FORM = """
| survey | type | name | label |
| | text | said | What? |
| settings | form_id | version | form_title |
| | talk | 1 | Talk |
"""


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> MemoryHost:
    """The only server."""
    host = MemoryHost()
    monkeypatch.setattr(servers, "host_of", lambda _workspace, _section: host)
    return host


@pytest.fixture
def workspace(tmp_path: Path, host: MemoryHost) -> Workspace:
    """A form that was deployed, with submissions that were pulled from it."""
    (tmp_path / "dialogkit.toml").write_text(TOML)
    (tmp_path / "talk.md").write_text(FORM)
    workspace = open_workspace(tmp_path)
    deploy(workspace, (), Wanted())
    pulled(workspace, 5)
    return workspace


def pulled(workspace: Workspace, count: int) -> None:
    (workspace.batches / "talk").mkdir(parents=True, exist_ok=True)
    write_certificate(workspace.batches, Certificate("talk", "kobo", "", "2026-11-21T10:00:00Z", count, count))


def out_of_sight(host: MemoryHost) -> None:
    """As for an account that lost its rights: the server says that there is no such form."""
    host.forms.clear()
    host.uploads.clear()
    host.asked.clear()


@pytest.mark.parametrize("dry_run", [True, False])
def test_server_086_a_form_that_was_pulled_from_is_not_placed_a_second_time_because_it_cannot_be_seen(
    workspace, host, dry_run
):
    before = (workspace.root / NAME).read_bytes()
    out_of_sight(host)
    with pytest.raises(ServerRefused) as caught:
        deploy(workspace, (), Wanted(dry_run=dry_run))
    assert caught.value.code == "SERVER-086"
    assert "5 submissions" in caught.value.message
    assert host.asked == []
    assert (workspace.root / NAME).read_bytes() == before


def test_a_copy_of_the_form_that_is_found_instead_is_not_taken_for_it_either(workspace, host):
    there = remote_ids(workspace, "kobo")["talk"]
    host.forms["colleague"] = host.forms.pop(there)
    host.uploads["colleague"] = host.uploads.pop(there)
    with pytest.raises(ServerRefused) as caught:
        deploy(workspace, (), Wanted())
    assert caught.value.code == "SERVER-086"
    assert remote_ids(workspace, "kobo") == {"talk": there}


def test_a_form_that_is_really_gone_is_placed_anew_on_demand_or_when_nothing_came_from_it(workspace, host):
    out_of_sight(host)
    assert [plan.action for plan in deploy(workspace, (), Wanted(accept_break=True))] == ["create"]
    out_of_sight(host)
    pulled(workspace, 0)
    assert [plan.action for plan in deploy(workspace, (), Wanted())] == ["create"]


def test_signs_that_a_server_puts_into_an_id_give_no_commands_to_the_terminal(capsys):
    output.problems([Problem("SERVER-031", "error", "far, visit", "uuid:\x9b2J\x1b[2J\x07", "Look.\nThen pull.")])
    shown = capsys.readouterr().err
    assert not {"\x9b", "\x1b", "\x07"} & set(shown)
    assert shown.splitlines()[2:] == ["  Look.", "Then pull."]


def test_nor_do_they_when_the_run_ends_with_them(monkeypatch):
    error = ServerRefused(
        "SERVER-031", "far", "uuid:\x9b2J\x1b[2J", "Look.", (Problem("X", "error", "\x07", "a", "b"),)
    )

    def failing(*_: object) -> None:
        raise error

    monkeypatch.setattr(workspaces, "open_workspace", failing)
    result = CliRunner().invoke(cli, ["pull"])
    assert result.exit_code == 5
    assert "SERVER-031" in result.output
    assert not {"\x9b", "\x1b", "\x07"} & set(result.output)


def test_a_code_for_phones_does_not_show_its_key_in_a_text_of_itself():
    code = Shared("https://far.example/v1/key/" + "k" * 64, "q" * 80, "central", reachable=True, encrypted=True)
    assert "kkk" not in repr(code)
    assert "qqq" not in repr(code)
    assert "https" not in json.dumps(str(code))
