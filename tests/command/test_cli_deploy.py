"""`dialogkit deploy`: output and exit code in full."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dialogkit.cli.main import cli
from dialogkit.steps import servers
from tests.memory_host import MemoryHost

FORM = """
| survey | type | name | label | disclosure | media::image |
| | {kind} | said | What? | none | a.png |
| settings | form_id | version |
| | talk | {version} |
"""
TOML = """
[servers.field]
kind = "openrosa"
listen = "127.0.0.1:8790"
[servers.kobo]
kind = "kobo"
url = "https://kf.example.org"
token_env = "NOT_SET_ANYWHERE"
[forms.talk]
file = "talk.md"
server = "kobo"
[forms.here]
file = "here.md"
server = "field"
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "dialogkit.toml").write_text(TOML)
    (tmp_path / "a.png").write_bytes(b"png")
    write(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def host(here: Path, monkeypatch: pytest.MonkeyPatch) -> MemoryHost:
    host = MemoryHost()
    monkeypatch.setattr(servers, "host_of", lambda _workspace, _section: host)
    return host


def write(folder: Path, version: str = "1", kind: str = "text") -> None:
    (folder / "talk.md").write_text(FORM.format(version=version, kind=kind))


def run(*words: str) -> Result:
    return CliRunner().invoke(cli, ["deploy", *words])


def test_a_first_deploy_says_what_it_does_and_then_that_it_is_done(here: Path, host: MemoryHost) -> None:
    result = run()
    assert (result.exit_code, result.stdout) == (0, "deployed    talk  version 1  on kobo\n")
    assert result.stderr == (
        "talk  version 1  on kobo:\n  publish it as a new form\n  upload the workbook, version 1\n  upload a.png\n"
    )


def test_a_dry_run_prints_the_same_and_does_nothing(here: Path, host: MemoryHost) -> None:
    result = run("--dry-run", "--let-in", "anonymous")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.endswith("  upload a.png\n  let in “anonymous”\nNothing was done (--dry-run).\n")
    assert host.asked == []


def test_a_second_deploy_has_nothing_to_do(here: Path, host: MemoryHost) -> None:
    run()
    result = run("talk")
    assert (result.exit_code, result.stdout) == (0, "unchanged   talk  version 1  on kobo\n")
    assert result.stderr == "talk  version 1  on kobo:\n  nothing to do: it is there as it is here\n"


@pytest.mark.parametrize("words", [[], ["--dry-run"]])
def test_what_would_break_is_shown_and_refused(here: Path, host: MemoryHost, words: list[str]) -> None:
    run()
    write(here, version="2", kind="integer")
    result = run(*words)
    assert (result.exit_code, result.stdout) == (5, "")
    assert result.stderr == (
        "talk: what changes on kobo\n"
        "Form\n"
        "  version    1 → 2\n"
        "\n"
        "Types\n"
        "  retyped  said  text → integer\n"
        "           breaks: Answers of type text that are stored cannot be read as integer: they keep their own column."
        "\n\n"
        "2 changes, 1 of which breaks answers, rules or findings.\n"
        "talk  version 2  on kobo:\n"
        "  replace a1 and publish it\n"
        "  upload the workbook, version 2\n"
        "  upload a.png\n"
        "error[SERVER-081] kobo, talk\n"
        "  This version breaks what is stored: 1 of its changes, shown above.\n"
        "  Keep the names, types and choices that have answers; or accept it: --accept-break\n"
    )
    assert host.asked == ["place"]
    accepted = run("--accept-break")
    assert (accepted.exit_code, accepted.stdout) == (0, "deployed    talk  version 2  on kobo\n")


def test_a_form_is_archived_and_opened(here: Path, host: MemoryHost) -> None:
    run()
    archived = run("talk", "--archive")
    assert (archived.exit_code, archived.stdout) == (0, "archived    talk  on kobo\n")
    assert archived.stderr == "talk  on kobo:\n  archive a1: phones cannot load it or send any more\n"
    assert run("talk", "--archive").stderr == "talk  on kobo:\n  nothing to do: it is archived\n"
    opened = run("talk")
    assert (opened.exit_code, opened.stdout) == (0, "opened      talk  version 1  on kobo\n")
    assert opened.stderr == "talk  version 1  on kobo:\n  open a1 to phones again\n"


def test_who_was_let_in_finds_the_address_by_share_and_not_here(here: Path, host: MemoryHost) -> None:
    result = run("--let-in", "phones Lusaka")
    assert "  let in “phones Lusaka”\n" in result.stderr
    assert result.stderr.endswith("  Its address and QR code: dialogkit share talk --key 'phones Lusaka'\n")
    assert "kc.example.org" not in result.output


def test_a_form_with_a_placeholder_is_refused(here: Path, host: MemoryHost) -> None:
    text = (here / "talk.md").read_text()
    row = "| | hidden | team_contact | | none | |\n"
    text = text.replace("| media::image |", "| media::image | calculation |").replace("| | text", f"{row}| | text")
    (here / "talk.md").write_text(text.replace("| none | |\n", "| none | | '[contact]' |\n"))
    result = run()
    assert result.exit_code == 4
    assert "error[FORM-030]" in result.stderr
    assert "error[FORM-053] talk" in result.stderr
    assert host.asked == []


def test_dialogkits_own_server_takes_no_deploy(here: Path) -> None:
    result = run("here")
    assert result.exit_code == 3
    assert "error[CONFIG-034]" in result.stderr
    assert "dialogkit serve" in result.stderr


@pytest.mark.parametrize(
    ("words", "code", "exit_code"),
    [
        (["nothing"], "CONFIG-005", 3),
        (["--server", "nowhere"], "CONFIG-032", 3),
        (["talk", "--server", "nowhere"], "CONFIG-032", 3),
        (["talk"], "CONFIG-009", 3),
    ],
)
def test_deploy_says_what_is_wrong(here: Path, words: list[str], code: str, exit_code: int) -> None:
    result = run(*words)
    assert result.exit_code == exit_code
    assert f"error[{code}]" in result.stderr
