"""`dialogkit review` and `dialogkit query --as-of`: what they print and how they end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from dialogkit.cli.main import cli
from dialogkit.steps.run import run as bring
from dialogkit.workspace import Workspace, open_workspace
from tests.lookalikes import central

FORM = """
| survey |
|        | type    | name  | label    | calculation |
|        | text    | said  | What?    |             |
|        | integer | n     | How many |             |
|        | calculate | twice |        | ${n} * 2    |
| settings |
|          | form_title | form_id | version |
|          | Talk       | talk    | 1       |
"""


def run(*arguments: str | Path):
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


@pytest.fixture
def place(tmp_path, monkeypatch) -> Iterator[tuple[Workspace, central.Place]]:
    """One form on a look-alike of ODK Central, two submissions landed."""
    from dialogkit.forms.remote_copy import remote_copy, xlsx_bytes

    (tmp_path / "talk.md").write_text(FORM)
    with central.lookalike() as server:
        monkeypatch.setenv("TEST_EMAIL", server.email)
        monkeypatch.setenv("TEST_PASSWORD", server.password)
        (tmp_path / "dialogkit.toml").write_text(
            '[workspace]\nname = "T"\nteam_contact = "us"\nteam_server = "here"\n'
            f'[servers.main]\nkind = "central"\nurl = "{server.url}"\nproject_id = {server.project_id}\n'
            'email_env = "TEST_EMAIL"\npassword_env = "TEST_PASSWORD"\n'
            '[forms.talk]\nfile = "talk.md"\nserver = "main"\n'
        )
        server.state.publish(xlsx_bytes(remote_copy(tmp_path / "talk.md", {})))
        for name in ("aa1", "ab2"):
            server.state.new("talk", {"said": "Zebracorn", "n": "4"}, instance_id=f"uuid:{name}")
        workspace = open_workspace(tmp_path)
        bring(workspace)
        yield workspace, server


def test_without_yes_it_is_shown_and_nothing_is_sent(place):
    workspace, server = place
    before = server.state.everything("talk")
    words = ["--state", "approved", "--comment", "fine", "--set", "said=Quokka", "--set", "/n=5"]
    result = run("review", "talk", "aa1", *words, "-w", workspace.root)
    assert result.exit_code == 0
    for line in ("uuid:aa1", "review state", "none", "approved", "said (What?)", "not shown", "6 characters"):
        assert line in result.stdout
    assert "These are calculated from what changes and stay as they are: twice" in result.stderr
    assert "Nothing was sent to main. To send it: the same command with --yes" in result.stderr
    assert "Zebracorn" not in result.output
    assert "Quokka" not in result.output
    assert server.state.everything("talk") == before


def test_with_yes_each_submission_is_told_and_a_pull_is_the_next_thing(place):
    workspace, _ = place
    result = run("review", "talk", "aa1", "uuid:ab2", "--state", "has_issues", "--yes", "-w", workspace.root)
    assert result.exit_code == 0, result.output
    assert "uuid:aa1: taken by main\nuuid:ab2: taken by main\n" in result.stdout
    assert "Pull again to see it: dialogkit pull talk" in result.stderr
    bring(workspace)
    asked = run("query", "SELECT DISTINCT _review_state FROM accepted.talk", "--format", "csv", "-w", workspace.root)
    assert asked.stdout == "_review_state\nhas_issues\n"


def test_server_119_one_that_was_refused_ends_with_the_code_of_servers(place):
    workspace, server = place
    server.state.delete("uuid:aa1")
    result = run("review", "talk", "aa1", "ab2", "--set", "said=Quokka", "--yes", "-w", workspace.root)
    assert result.exit_code == 5
    assert "uuid:aa1: not changed\nuuid:ab2: taken by main\n" in result.stdout
    assert "error[SERVER-119] main, talk\n  1 of 2 submissions were not changed as asked." in result.stderr
    assert "Pull again to see it" in result.stderr
    assert "Quokka" not in result.output


def test_what_does_not_fit_the_form_is_told_before_anything_is_shown(place):
    workspace, _ = place
    result = run("review", "talk", "aa1", "--set", "sad=x", "--set", "n=Quokka", "--yes", "-w", workspace.root)
    assert result.exit_code == 5
    assert "error[SERVER-113] talk, sad" in result.stderr
    assert "Did you mean said?" in result.stderr
    assert "error[SERVER-118] talk, n" in result.stderr
    assert "Quokka" not in result.output
    assert result.stdout == ""


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--comment", "  "],
        ["--state", "good"],
        ["--set", "said"],
        ["--set", "=x"],
        ["--set", "said=a", "--set", "said=b"],
    ],
)
def test_wrong_usage_is_told_before_anything_is_opened(words):
    assert run("review", "talk", "aa1", *words).exit_code == 2
    assert run("review", "talk", "--state", "approved").exit_code == 2


def test_as_of_reads_the_tables_as_they_were(place):
    workspace, server = place
    at = datetime.now(UTC).isoformat()
    time.sleep(0.05)
    server.state.edit("uuid:aa1", {"said": "Quokka", "n": "4"})
    bring(workspace)
    statement = "SELECT said FROM accepted.talk ORDER BY 1"
    then = run("query", statement, "--as-of", at, "--format", "csv", "-w", workspace.root)
    assert then.stdout == "said\nZebracorn\nZebracorn\n"
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    for words in ([], ["--as-of", today]):
        now = run("query", statement, *words, "--format", "csv", "-w", workspace.root)
        assert now.stdout == "said\nQuokka\nZebracorn\n"


@pytest.mark.parametrize(
    ("time_", "code"), [("soon", "WAREHOUSE-030"), ("2999-01-01", "WAREHOUSE-031"), ("2001-01-01", "WAREHOUSE-032")]
)
def test_a_time_that_cannot_be_asked_for_is_explained(place, time_, code):
    result = run("query", "SELECT 1", "--as-of", time_, "-w", place[0].root)
    assert result.exit_code == 9
    assert f"error[{code}]" in result.stderr


def test_an_empty_time_is_wrong_usage(tmp_path):
    assert run("query", "SELECT 1", "--as-of", " ").exit_code == 2
