"""What a hostile reader tried against servers, and what stands in the way since."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from dialogkit import workspace as workspaces
from dialogkit.cli import output
from dialogkit.cli.main import cli
from dialogkit.errors import ServerRefused
from dialogkit.files import sha256_of
from dialogkit.forms.build import build_form
from dialogkit.forms.remote_copy import remote_copy, xlsx_bytes
from dialogkit.instance import read_instance
from dialogkit.model.server import Received
from dialogkit.model.submission import Attachment, Submission
from dialogkit.problem import Problem
from dialogkit.pull.batches import batches, open_batch
from dialogkit.pull.certificates import Certificate, write_certificate
from dialogkit.pull.decrypt import Opener, unseal
from dialogkit.pull.writer import Hooks, new_batch
from dialogkit.servers.kobo.forms import KoboForms
from dialogkit.servers.kobo.session import KoboSession
from dialogkit.steps import servers
from dialogkit.steps.deploy import deploy
from dialogkit.steps.deploy_plan import Wanted
from dialogkit.steps.deployments import NAME, remote_ids
from dialogkit.steps.land import land
from dialogkit.steps.pull import pull
from dialogkit.steps.share import Shared
from dialogkit.warehouse.connect import writing
from dialogkit.workspace import Workspace, open_workspace
from tests.builders import land_batch, make_form, received, write_batch
from tests.builders_encrypt import private_key, seal
from tests.lookalikes import kobo
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


# --- encrypted answers are judged by the form that the person saw

_YES_NO = {"choices": ["yes", "no"], "concept": "consent.record"}
_REST = [("text", "story"), ("repeat", "kid"), ("text", "kid/a")]
_REST = [("text", "story"), ("repeat", "kid"), ("text", "kid/a")]
FIRST = make_form("visit", "1", [("select_one", "agree", _YES_NO), *_REST])
LATER = make_form("visit", "2", [("select_one", "g/agree", _YES_NO), *_REST])
EDITION = "uuid:33333333-3333-4333-8333-333333333333"


@pytest.mark.parametrize(("agreed", "refused"), [("no", "no consent"), ("yes", "")])
def test_consent_in_encrypted_answers_is_read_by_the_version_inside(tmp_path, agreed, refused):
    inner = (
        f'<data id="aKoboUid" version="vKobo9"><agree>{agreed}</agree><story>Zebracorn</story><kid><a>1</a></kid>'
        f"<dialogkit_form_version>1</dialogkit_form_version><meta><instanceID>{EDITION}</instanceID></meta></data>"
    )
    sealed = seal(inner.encode(), {})
    forms = {"1": FIRST, "2": LATER}
    opener = Opener([private_key()], forms.get)
    hooks = Hooks(
        unseal=lambda submission, form, folder, body: unseal(submission, form, folder, opener, body),
        find_form=forms.get,
    )
    submission = Submission(
        id=EDITION,
        instance_id=EDITION,
        form_id="visit",
        form_version="",
        submitted_at="2026-01-01T00:00:00Z",
        answers=read_instance(sealed.xml).answers,
        attachments=tuple(Attachment(name) for name in sealed.files),
    )

    def put(file: Attachment, target: Path) -> Attachment:
        target.write_bytes(sealed.files[file.name])
        return replace(file, size=target.stat().st_size, sha256=sha256_of(target))

    with new_batch(tmp_path, "visit", "server", "far", hooks) as writer:
        writer.add(Received(submission, sealed.xml), LATER, put)
    batch = open_batch(batches(tmp_path, "visit")[0])
    (line,) = batch.lines()
    assert (line["sealed"], line["refused"], "1" in batch.forms()) == ("", refused, True)
    if not refused:
        assert (line["form_version"], line["answers"]["kid"]) == ("1", [{"kid/a": "1"}])
    kept = [path for path in tmp_path.rglob("*") if path.is_file() and b"Zebracorn" in path.read_bytes()]
    assert kept == []


def test_a_server_takes_away_only_what_came_from_it(tmp_path):
    form = make_form("visit", "1", [("text", "name")])
    with writing(tmp_path / "w.duckdb") as db:
        land_batch(db, write_batch(tmp_path, form, [{"name": "A"}], server="export"), form)
        land_batch(db, write_batch(tmp_path, form, [{"name": "B"}], server="live"), form)
        gone = received(form, {}, "uuid:1", deleted_at="2026-11-20T10:00:00Z")
        land_batch(db, write_batch(tmp_path, form, [gone], server="export"), form)
        assert db.execute("SELECT state FROM ops.submissions").fetchall() == [("accepted",)]
        land_batch(db, write_batch(tmp_path, form, [gone], server="live"), form)
        assert db.execute("SELECT state FROM ops.submissions").fetchall() == [("deleted",)]


# --- a form that is on Kobo already


def test_a_form_that_was_on_kobo_before_is_pulled_by_its_remote_id_and_read_as_the_workbook_says(tmp_path, monkeypatch):
    monkeypatch.setenv("TOKEN", "")
    with kobo.lookalike() as place:
        survey = [{"type": "text", "name": "said", "$xpath": "said", "$kuid": "k1"}]
        uid = place.state.form("Talk", survey=survey)
        place.state.new(uid, {"said": "before dialogkit"})
        (tmp_path / "talk.md").write_text(FORM)
        (tmp_path / "dialogkit.toml").write_text(
            f'[servers.kobo]\nkind = "kobo"\nurl = "{place.url}"\ntoken_env = "TOKEN"\n'
            f'[forms.talk]\nfile = "talk.md"\nserver = "kobo"\nremote_id = "{uid}"\n'
        )
        monkeypatch.setenv("TOKEN", place.token)
        here = open_workspace(tmp_path)
        assert remote_ids(here, "kobo") == {"talk": uid}
        (done,) = pull(here, ["talk"])
        assert (done.submissions, done.certificate.equal) == (1, True)
        (landed,) = land(here)
        assert landed.accepted == 1
        # The workbook is being worked on: what was kept reads the rest.
        (tmp_path / "talk.md").write_text(FORM.replace("text | said", "nonsense | said"))
        place.state.new(uid, {"said": "later"})
        (done,) = pull(here, ["talk"])
        assert [(one.code, one.severity) for one in done.warnings] == [("FORM-072", "warning")]
        assert done.submissions == 1


def test_server_055_two_forms_of_the_account_that_carry_one_form_id(tmp_path):
    (tmp_path / "talk.md").write_text(FORM)
    built = build_form(tmp_path / "talk.md")
    book = xlsx_bytes(remote_copy(tmp_path / "talk.md", {}, built.form))
    with kobo.lookalike() as place:
        host = KoboForms(KoboSession("kobo", place.url, place.token))
        assert host.find("talk", "Talk") == ""
        first = place.state.form(workbook=book)
        assert host.find("talk", "Talk") == first
        place.state.assets[place.state.form(workbook=book)].owner = "other"
        assert host.find("talk", "Talk") == first
        place.state.form(workbook=book)
        with pytest.raises(ServerRefused) as raised:
            host.find("talk", "Talk")
        assert raised.value.code == "SERVER-055"
