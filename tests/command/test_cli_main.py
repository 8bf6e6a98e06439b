"""The command line: quick help, plain errors, exit codes, and what the simple commands print."""

from __future__ import annotations

import importlib
import json
import os
import resource
import statistics
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from dialogkit import __version__
from dialogkit.cli.main import COMMANDS, cli
from dialogkit.errors import BatchError, DialogkitError
from dialogkit.problem import Problem
from dialogkit.pull.certificates import Certificate, write_certificate
from dialogkit.warehouse.connect import writing
from dialogkit.workspace import Workspace, open_workspace
from tests.builders import land_batch, make_form, received, write_batch

FORM = make_form("visit", "1", [("text", "name", {"disclosure": "direct"}), ("integer", "age")])


def run(*arguments: str | Path, **options):
    return CliRunner().invoke(cli, [str(argument) for argument in arguments], **options)


@pytest.fixture
def place(tmp_path) -> Workspace:
    """One form; two submissions landed, one of them held, and one waiting."""
    (tmp_path / "dialogkit.toml").write_text('[forms.visit]\nfile = "visit.xlsx"\n[land]\nmemory_limit = "500MB"\n')
    workspace = open_workspace(tmp_path)
    some = [received(FORM, {"name": "Amina", "age": "4"}, f"uuid:{name}") for name in ("good", "held")]
    with writing(workspace.warehouse) as db:
        land_batch(db, write_batch(workspace.batches, FORM, some), hold={"uuid:held": "RULE-001"})
    write_batch(workspace.batches, FORM, [received(FORM, {"age": "5"}, "uuid:waits")])
    return workspace


# --- help


def test_help_is_quick():
    spent = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "dialogkit", "--help"], check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert statistics.median(spent) <= 0.25


def test_help_names_every_command_in_the_order_of_the_flow():
    result = run("--help")
    assert result.exit_code == 0
    listed = [line.split()[0] for line in result.stdout.partition("Commands:")[2].splitlines() if line.strip()]
    assert [name for name in listed if name in COMMANDS] == list(COMMANDS)


def test_help_imports_no_command():
    code = (
        "import sys; from dialogkit.cli.main import cli; cli(['--help'], standalone_mode=False); "
        "print([m for m in sys.modules if m.split('.')[0] in ('duckdb', 'pandas', 'pyxform', 'great_expectations') "
        "or m.startswith('dialogkit.steps')])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_there_and_has_help(name):
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    assert command.name == name
    result = run(name, "--help")
    assert (result.exit_code, result.stderr) == (0, "")
    assert f" {name} " in result.stdout.splitlines()[0]
    assert len(result.stdout.splitlines()) > 4
    if isinstance(command, click.Group):
        for inner in command.commands:
            assert run(name, inner, "--help").exit_code == 0


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_of_every_command_says_what_it_is_for(name):
    def of(command: click.Command):
        yield command
        for inner in getattr(command, "commands", {}).values():
            yield from of(inner)

    for command in of(cli.get_command(click.Context(cli), name)):
        assert command.help
        for option in command.params:
            if isinstance(option, click.Option):
                assert option.help, f"{command.name} {option.opts}"


def test_every_file_of_a_command_is_reachable():
    folder = Path(importlib.import_module("dialogkit.cli").__path__[0])
    shared = {
        "__init__",
        "main",
        "options",
        "output",
        "bar",
        "compared",
        "landed",
        "layout",
        "lineage",
        "parquet",
        "printable",
        "simulate",
        "pulled",
        "serving",
        "told",
    }
    files = {path.stem for path in folder.glob("*.py")} - shared
    assert files == {"imports" if name == "import" else name for name in COMMANDS}


def test_the_version_is_told():
    assert run("--version").stdout == f"dialogkit, version {__version__}\n"


# --- errors


def test_an_unknown_command_is_wrong_usage():
    result = run("pul")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "No such command 'pul'" in result.stderr


@pytest.mark.parametrize(
    "arguments", [["query"], ["pull", "--nope"], ["held", "drop", "x"], ["status", "-w", "/no/such"]]
)
def test_wrong_usage_is_exit_code_2(arguments):
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Traceback" not in result.stderr


def kinds(kind=DialogkitError):
    yield kind
    for inner in kind.__subclasses__():
        yield from kinds(inner)


@pytest.mark.parametrize("kind", list(kinds()))
def test_an_error_gives_its_exit_code_and_its_message_and_no_traceback(monkeypatch, place, kind):
    def fails(_):
        raise kind("X-001", "here", "It is wrong.", "Correct it.", (Problem("X-002", "held", "w", "m", "f"),))

    monkeypatch.setattr("dialogkit.steps.status.status", fails)
    result = run("status", "-w", place.root)
    assert (result.exit_code, result.stdout) == (kind.exit_code, "")
    assert result.stderr == "held[X-002] w\n  m\n  f\nerror[X-001] here\n  It is wrong.\n  Correct it.\n"


def test_a_defect_of_ours_is_exit_code_1_without_a_word_of_the_error(monkeypatch, place):
    def fails(_):
        raise ValueError("could not convert Amina")

    monkeypatch.setattr("dialogkit.steps.status.status", fails)
    result = run("status", "-w", place.root)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(
        "error[DEFECT-001] dialogkit\n  Something went wrong that is our fault (ValueError).\n"
    )
    assert "Amina" not in result.stderr
    assert "Traceback" not in result.stderr


def test_a_file_that_cannot_be_written_is_told_by_its_folder_and_not_by_its_name(monkeypatch, place):
    def fails(_):
        raise PermissionError(13, "Permission denied", "/x/attachments/Amina.jpg")

    monkeypatch.setattr("dialogkit.steps.status.status", fails)
    result = run("status", "-w", place.root)
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr.startswith(
        "error[FILE-001] folder attachments\n  A file cannot be read or written (Permission denied).\n"
    )
    assert "Amina" not in result.stderr


def test_debug_shows_the_traceback(monkeypatch, place):
    def fails(_):
        raise BatchError("X-001", "here", "It is wrong.", "Correct it.")

    monkeypatch.setattr("dialogkit.steps.status.status", fails)
    assert isinstance(run("--debug", "status", "-w", place.root).exception, BatchError)


def test_a_stop_by_the_keyboard_says_that_nothing_is_broken(monkeypatch, place):
    def stopped(_):
        raise KeyboardInterrupt

    monkeypatch.setattr("dialogkit.steps.status.status", stopped)
    result = run("status", "-w", place.root)
    assert result.exit_code == 130
    assert result.stderr == "Stopped. What was written is whole; run the same command again to go on.\n"


def test_a_reader_that_goes_away_is_no_error(place):
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as gone:
        done = subprocess.run(
            [sys.executable, "-m", "dialogkit", "config", "-w", place.root],
            stdout=gone, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert done.stderr == ""


def test_no_workspace_is_exit_code_3(tmp_path):
    result = run("status", "-w", tmp_path)
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr == (
        f"error[CONFIG-001] {tmp_path}\n"
        "  There is no dialogkit.toml here or in a folder above, so this is not a workspace.\n"
        "  Make one with: dialogkit init, or name one with: --workspace FOLDER\n"
    )


def test_a_failing_command_exits_with_its_code_as_a_program_too(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "dialogkit", "status"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("error[CONFIG-001] this folder\n")


# --- commands


def test_init_makes_a_workspace_and_says_what_comes_next(tmp_path):
    folder = tmp_path / "w"
    result = run("init", folder)
    assert result.exit_code == 0
    assert result.stdout == f"7 forms in {folder / 'forms'}, settings in {folder / 'dialogkit.toml'}\n"
    assert result.stderr == (
        "Before a form can be served: write team_contact and team_server into dialogkit.toml.\nThen: dialogkit serve\n"
    )
    again = run("init", folder)
    assert (again.exit_code, again.stdout) == (3, "")
    assert again.stderr.startswith(f"error[CONFIG-010] {folder}\n")


def test_init_with_the_words_of_the_team_asks_for_no_more(tmp_path):
    result = run(
        "init", tmp_path / "w", "--name", "Ours", "--team-contact", "a@example.org", "--team-server", "us, here"
    )
    assert result.stderr == "Then: dialogkit serve\n"
    assert open_workspace(tmp_path / "w").config.workspace.name == "Ours"


def test_status_counts_by_stage(place):
    result = run("status", "-w", place.root, "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    (row,) = json.loads(result.stdout)
    assert row.pop("last_pull")
    assert row == {
        "form_id": "visit",
        "on_server": None,
        "not_here": 0,
        "without_files": 0,
        "batches": 2,
        "waiting": 1,
        "accepted": 1,
        "held": 1,
        "refused": 0,
        "refused_at_server": 0,
        "deleted": 0,
        "dropped": 0,
    }
    table = run("status", "-w", place.root).stdout
    assert "form id" in table
    assert "visit" in table


def test_status_tells_what_the_last_pull_proved(place):
    proof = Certificate(
        "visit", "far", "2026-11-20T10:00:00Z", "2099-11-20T10:01:00Z", 5, 4, only_there=["uuid:5"], files_missing=2
    )
    write_certificate(place.batches, replace(proof, server_count=9))
    write_certificate(place.batches, proof)
    write_certificate(place.batches, replace(proof, server="near", server_count=-1, only_there=[], files_missing=0))
    (row,) = json.loads(run("status", "-w", place.root, "--json").stdout)
    told = {key: row[key] for key in ("on_server", "not_here", "without_files", "last_pull")}
    assert told == {"on_server": 5, "not_here": 1, "without_files": 2, "last_pull": "2099-11-20T10:01:00Z"}


def test_status_of_a_new_workspace_is_all_noughts(tmp_path):
    (tmp_path / "dialogkit.toml").write_text('[forms.visit]\nfile = "visit.xlsx"\n')
    (row,) = json.loads(run("status", "-w", tmp_path, "--json").stdout)
    assert {value for key, value in row.items() if key not in ("form_id", "last_pull")} == {0, None}
    assert not (tmp_path / "warehouse").exists()


def test_the_demo_leaves_another_workspace_alone(place):
    before = sorted(place.root.rglob("*"))
    result = run("demo", "--to", place.root)
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr == (
        f"error[CONFIG-011] {place.root}\n"
        "  This folder is a workspace already, and not one of the demo.\n"
        "  Name another folder: dialogkit demo --to FOLDER\n"
    )
    assert sorted(place.root.rglob("*")) == before


def test_config_tells_each_value_and_where_it_is_from_but_no_secret(tmp_path, monkeypatch):
    (tmp_path / "dialogkit.toml").write_text('[servers."a.b"]\nurl = "http://x"\ntoken_env = "MY_TOKEN"\n')
    monkeypatch.setenv("MY_TOKEN", "s3cret")
    monkeypatch.setenv("DIALOGKIT_LAND_ON_FAILURE", "stop")
    result = run("config", "-w", tmp_path, "--json")
    rows = {row["key"]: (row["value"], row["origin"]) for row in json.loads(result.stdout)}
    assert rows["servers.a.b.token_env"] == ("MY_TOKEN (set)", "dialogkit.toml")
    assert rows["land.on_failure"] == ("stop", "environment DIALOGKIT_LAND_ON_FAILURE")
    assert rows["publish.smallest_cell"] == ("5", "default")
    assert "s3cret" not in result.output
    table = run("config", "-w", tmp_path)
    assert "servers.a.b.token_env" in table.stdout
    assert "s3cret" not in table.output


def test_held_is_listed_shown_released_and_dropped(place):
    listed = run("held", "list", "-w", place.root, "--json")
    assert json.loads(listed.stdout) == [{"submission_id": "uuid:held", "form_id": "visit", "rules": ["RULE-001"]}]
    told = run("held", "list", "-w", place.root)
    assert told.stdout == "uuid:held  visit  1\n  RULE-001\n"
    assert told.stderr.startswith("Held submissions: 1. ")
    shown = run("held", "show", "held", "-w", place.root)
    assert (
        shown.stdout
        == "held[RULE-001] visit, submission uuid:held, whole submission\n  RULE-001 is broken.\n  Fix it.\n"
    )
    released = run("held", "release", "held", "--reason", "right", "--by", "Lea", "-w", place.root)
    assert (released.exit_code, released.stdout) == (0, "uuid:held: accepted\n")
    nothing = run("held", "list", "-w", place.root)
    assert (nothing.stdout, nothing.stderr) == ("", "No submission is held.\n")
    counted = run("query", "SELECT count(*) n FROM accepted.visit", "--format", "csv", "-w", place.root)
    assert counted.stdout == "n\n2\n"


def test_held_of_no_such_submission_is_exit_code_9(place):
    result = run("held", "drop", "zz", "--reason", "x", "-w", place.root)
    assert (result.exit_code, result.stdout) == (9, "")
    assert result.stderr.startswith("error[WAREHOUSE-008] submission zz\n")


@pytest.mark.parametrize("command", [["held", "list"], ["query", "SELECT 1"]])
def test_before_the_first_landing_there_is_nothing_to_ask(tmp_path, command):
    (tmp_path / "dialogkit.toml").write_text("")
    result = run(*command, "-w", tmp_path)
    assert (result.exit_code, result.stdout) == (9, "")
    assert "Bring and land submissions: dialogkit run" in result.stderr


@pytest.mark.parametrize("decision", ["release", "drop"])
def test_a_decision_without_a_reason_is_wrong_usage(place, decision):
    result = run("held", decision, "held", "--reason", "  ", "-w", place.root)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "uuid:held" in run("held", "list", "-w", place.root).stdout


@pytest.mark.parametrize("command", ["land", "pull", "run"])
def test_a_form_that_is_not_in_the_workspace_is_exit_code_3(place, command):
    result = run(command, "nix", "-w", place.root)
    assert (result.exit_code, result.stdout) == (3, "")
    assert "error[CONFIG-005]" in result.stderr


def test_status_leaves_out_forms_without_anything_and_says_how_many(place):
    settings = place.root / "dialogkit.toml"
    settings.write_text(settings.read_text() + '[forms.other]\nfile = "other.xlsx"\n')
    result = run("status", "-w", place.root)
    assert "visit" in result.stdout
    assert "other" not in result.stdout
    assert result.stderr == "1 form without any submission not shown (--json does).\n"
    assert [row["form_id"] for row in json.loads(run("status", "-w", place.root, "--json").stdout)] == [
        "visit",
        "other",
    ]


def test_status_shows_every_form_when_all_are_empty(tmp_path):
    (tmp_path / "dialogkit.toml").write_text('[forms.one]\nfile = "1.xlsx"\n[forms.two]\nfile = "2.xlsx"\n')
    result = run("status", "-w", tmp_path)
    assert "one" in result.stdout
    assert "two" in result.stdout
    assert result.stderr == ""


@pytest.fixture
def asked(place) -> Workspace:
    """The same, with a snapshot to ask."""
    assert run("land", "-w", place.root).exit_code == 0
    return place


@pytest.mark.parametrize("statement", ["", "  ", ";", "/* only a remark */"])
def test_warehouse_010_without_a_statement_there_is_nothing_to_ask(asked, statement):
    result = run("query", statement, "-w", asked.root)
    assert (result.exit_code, result.stdout) == (9, "")
    assert result.stderr.startswith("error[WAREHOUSE-010] query\n  There is no statement.\n")


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("SELECT 'Amina'::INTEGER", "try_cast"),
        ("SELECT strptime('Amina', '%Y')", "TRY("),
        ("SELECT * FROM read_csv('Amina.csv')", "no files"),
        ("SELEC 1", "See the tables"),
    ],
)
def test_what_cannot_be_asked_says_what_to_do_and_quotes_no_value(asked, statement, told):
    result = run("query", statement, "-w", asked.root)
    assert (result.exit_code, result.stdout) == (9, "")
    assert "error[WAREHOUSE-010]" in result.stderr
    assert told in result.stderr
    assert "Amina" not in result.stderr


def test_several_findings_are_one_object_of_json_and_not_one_csv(tmp_path, monkeypatch):
    (tmp_path / "dialogkit.toml").write_text("")
    monkeypatch.setattr("dialogkit.steps.findings.list_findings", lambda _: [("F11", "A?", "a"), ("F15", "B?", "b")])
    monkeypatch.setattr("dialogkit.steps.findings.finding", lambda _, name: (["n"], [(len(name),)]))
    both = run("findings", "f11", "F15", "--format", "json", "-w", tmp_path)
    assert json.loads(both.stdout) == {"F11": [{"n": 3}], "F15": [{"n": 3}]}
    assert json.loads(run("findings", "F11", "--format", "json", "-w", tmp_path).stdout) == [{"n": 3}]
    assert run("findings", "F11", "F15", "--format", "csv", "-w", tmp_path).exit_code == 2
