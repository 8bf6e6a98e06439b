"""`dialogkit key`, `dialogkit share` and `dialogkit serve`: what they print and how they end."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner, Result

from dialogkit.cli.main import cli
from dialogkit.cli.serve import _tell
from dialogkit.serve.running import Listening
from dialogkit.servers.share import settings_of
from dialogkit.steps import servers
from dialogkit.steps.deployments import Deployment, note
from dialogkit.steps.serve import Running, access_of
from dialogkit.steps.share import for_phones, share
from dialogkit.workspace import open_workspace
from tests.memory_host import MemoryHost

FORM = """
| survey |
|        | type | name | label |
|        | text | said | What? |
| settings |
|          | form_title | form_id | version |
|          | Talk       | talk    | 1       |
"""


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "talk.md").write_text(FORM)
    (tmp_path / "dialogkit.toml").write_text(
        '[workspace]\nname = "Talks"\nteam_contact = "us"\nteam_server = "here"\n'
        '[servers.field]\nkind = "openrosa"\nlisten = "127.0.0.1:8790"\n'
        '[servers.kobo]\nkind = "kobo"\nurl = "https://kf.kobotoolbox.org"\n'
        '[servers.central]\nkind = "central"\nurl = "https://central.example.org"\n'
        '[servers.elsewhere]\nkind = "openrosa"\nurl = "https://elsewhere.example.org"\n'
        '[forms.talk]\nfile = "talk.md"\nserver = "field"\n'
        '[forms.other]\nfile = "other.md"\nserver = "kobo"\n'
    )
    return tmp_path


def run(folder: Path, *words: str, **options) -> Result:
    command, *rest = words
    at = 1 if command == "key" else 0
    return CliRunner().invoke(cli, [command, *rest[:at], "--workspace", str(folder), *rest[at:]], **options)


# --- key ----------------------------------------------------------------------------------------------------------


def test_key_add_prints_the_token_on_stdout_and_nothing_else(folder):
    result = run(folder, "key", "add", "phones Lusaka")
    assert result.exit_code == 0
    assert re.search(r"^[0-9a-f]{64}$", result.stdout, re.MULTILINE)
    assert "Made the phone key “phones Lusaka”" in result.stderr
    assert "Keep it: `dialogkit share` shows it again." in result.stderr


def test_key_list_shows_no_token_and_no_hash(folder):
    token = run(folder, "key", "add", "office", "--role", "staff").stdout.strip()
    run(folder, "key", "add", "tablets", "--digest-user", "t", "--password-env", "PASS", env={"PASS": "long enough"})
    result = run(folder, "key", "list")
    assert result.exit_code == 0
    assert "office" in result.stdout
    assert "staff" in result.stdout
    assert token not in result.stdout
    listed = json.loads(run(folder, "key", "list", "--json").stdout)
    assert [(one["label"], one["role"], one["user"], one["revoked"]) for one in listed] == [
        ("office", "staff", "", ""),
        ("tablets", "phone", "t", ""),
    ]
    assert set(listed[0]) == {"label", "role", "created", "revoked", "user"}


def test_key_revoke_is_final_and_says_so(folder):
    run(folder, "key", "add", "phones")
    assert run(folder, "key", "revoke", "phones").stderr == "The key “phones” does not work any more.\n"
    again = run(folder, "key", "revoke", "phones")
    assert again.exit_code == 5
    assert "error[SERVER-021]" in again.stderr


def test_key_add_asks_for_the_password_without_showing_it(folder):
    result = run(folder, "key", "add", "tablets", "--digest-user", "t", input="long enough\nlong enough\n")
    assert result.exit_code == 0
    assert "long enough" not in result.output
    assert re.search(r"^[0-9a-f]{64}$", result.stdout, re.MULTILINE)


def test_key_add_says_what_is_wrong(folder):
    missing = run(folder, "key", "add", "tablets", "--digest-user", "t", "--password-env", "NOT_SET_ANYWHERE")
    assert missing.exit_code == 2
    run(folder, "key", "add", "phones")
    twice = run(folder, "key", "add", "phones")
    assert twice.exit_code == 5
    assert "error[SERVER-020]" in twice.stderr


# --- share --------------------------------------------------------------------------------------------------------


def test_share_prints_the_address_on_stdout_and_the_code_beside_it(folder):
    token = run(folder, "key", "add", "phones").stdout.strip()
    result = run(folder, "share", "talk")
    assert result.exit_code == 0
    assert result.stdout == f"http://127.0.0.1:8790/key/{token}\n"
    assert "Add project" in result.stderr
    assert "this computer only" in result.stderr


def test_share_writes_the_code_into_a_file_that_others_cannot_read(folder, tmp_path):
    run(folder, "key", "add", "phones")
    token = run(folder, "key", "add", "other phones").stdout.strip()
    result = run(
        folder,
        "share",
        "--key",
        "other phones",
        "--public-url",
        "https://f.example.org/",
        "--to",
        str(tmp_path / "qr.png"),
    )
    assert result.stdout == f"https://f.example.org/key/{token}\n"
    assert (tmp_path / "qr.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "qr.png").stat().st_mode & 0o077 == 0


def test_share_over_plain_http_says_who_can_read_along(folder):
    run(folder, "key", "add", "phones")
    assert "Plain http" in run(folder, "share", "--public-url", "http://192.168.1.5:8790").stderr


@pytest.mark.parametrize(
    ("words", "code", "exit_code"),
    [
        (["--to", "qr.gif"], "CONFIG-014", 3),
        (["--key", "nobody"], "SERVER-021", 5),
        (["other", "--server", "field"], "CONFIG-015", 3),
        (["--server", "elsewhere"], "CONFIG-015", 3),
        (["--server", "nowhere"], "CONFIG-032", 3),
        (["other", "--key", "x", "--public-url", "https://f.example.org"], "CONFIG-041", 3),
        (["--server", "kobo"], "CONFIG-042", 3),
        (["other"], "CONFIG-042", 3),
        (["other", "--key", "x"], "SERVER-085", 5),
        (["--server", "kobo", "--key", "x"], "SERVER-085", 5),
        (["--server", "central"], "SERVER-085", 5),
        (["nothing"], "CONFIG-005", 3),
    ],
)
def test_share_says_what_is_wrong(folder, words, code, exit_code):
    run(folder, "key", "add", "phones")
    result = run(folder, "share", *words)
    assert result.exit_code == exit_code
    assert f"error[{code}]" in result.stderr
    assert "/key/" not in result.output


def test_share_without_a_key_says_how_to_make_one(folder):
    result = run(folder, "share")
    assert result.exit_code == 5
    assert "dialogkit key add LABEL --role phone" in result.stderr


def test_share_without_an_embedded_server_says_what_to_add(tmp_path):
    (tmp_path / "dialogkit.toml").write_text("[workspace]\n")
    result = run(tmp_path, "share")
    assert result.exit_code == 3
    assert "error[CONFIG-013]" in result.stderr


@pytest.fixture
def deployed(folder, monkeypatch) -> dict[str, MemoryHost]:
    """Both forms stand on both of the other servers."""
    workspace = open_workspace(folder)
    for server in ("kobo", "central"):
        for form_id in ("talk", "other"):
            note(workspace, Deployment(server, form_id, f"{server}-{form_id}"))
    hosts = {"kobo": MemoryHost(), "central": MemoryHost("central", discards=False)}
    monkeypatch.setattr(servers, "host_of", lambda _workspace, section: hosts[section.name])
    return hosts


def test_share_on_odk_central_makes_the_app_user_and_shows_its_address_on_stdout_only(folder, deployed):
    result = run(folder, "share", "talk", "--server", "central", "--key", "phones Lusaka")
    assert result.exit_code == 0
    assert result.stdout == f"https://central.example.org/v1/key/{'k' * 64}/projects/3\n"
    assert "kkkk" not in result.stderr
    assert "It is the app user “phones Lusaka”: whoever has the code can load the forms and send." in result.stderr
    assert deployed["central"].access == [("central-talk", "phones Lusaka")]


def test_share_of_a_whole_server_lets_phones_into_every_form_there(folder, deployed):
    assert run(folder, "share", "--server", "central").exit_code == 0
    assert deployed["central"].access == [("central-other", "phones"), ("central-talk", "phones")]


def test_share_on_kobotoolbox_names_the_collector_and_no_password(folder, deployed):
    result = run(folder, "share", "other", "--key", "collector")
    assert (result.exit_code, result.stdout) == (0, "https://kc.example.org\n")
    assert "In KoboCollect or ODK Collect: Add project" in result.stderr
    assert "User name: collector. Its password is typed on the phone; it is never part of the code." in result.stderr
    assert deployed["kobo"].access == [("kobo-other", "collector")]
    general = settings_of(share(open_workspace(folder), form_id="other", label="collector").text)["general"]
    assert (general["server_url"], general["username"]) == ("https://kc.example.org", "collector")


def test_share_with_everybody_says_that_nobody_signs_in(folder, deployed):
    result = run(folder, "share", "other", "--key", "anonymous")
    assert result.stdout == "https://kc.example.org/owner\n"
    assert "Whoever has this address can send, without a name or password." in result.stderr


def test_share_makes_nobody_an_app_user_when_the_picture_could_not_be_written(folder, deployed):
    result = run(folder, "share", "talk", "--server", "central", "--to", "qr.gif")
    assert "error[CONFIG-014]" in result.stderr
    assert deployed["central"].access == []


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_the_code_of_another_server_is_written_as_a_picture_for_its_owner_only(folder, deployed, tmp_path, kind):
    result = run(folder, "share", "talk", "--server", "central", "--to", str(tmp_path / f"qr.{kind}"))
    assert result.exit_code == 0
    assert (tmp_path / f"qr.{kind}").stat().st_mode & 0o077 == 0


def test_the_only_server_of_a_workspace_is_meant_without_a_name(folder, deployed):
    toml = (folder / "dialogkit.toml").read_text()
    own, rest = toml[toml.index("[servers.field]") : toml.index("[servers.kobo]")], toml.index("[servers.central]")
    kobo = toml[toml.index("[servers.kobo]") : rest]
    kept = toml.replace(own, "").replace(kobo, "").replace('server = "field"', "").replace('server = "kobo"', "")
    (folder / "dialogkit.toml").write_text(kept)
    assert "/v1/key/" in run(folder, "share").stdout


# --- serve --------------------------------------------------------------------------------------------------------


#: As a shell without job control starts what it is told to run in the background.
IGNORING = "import signal, sys, os; signal.signal(signal.SIGINT, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])"


@pytest.mark.parametrize(
    ("stop", "before"),
    [(signal.SIGINT, []), (signal.SIGTERM, []), (signal.SIGTERM, [sys.executable, "-c", IGNORING])],
    ids=["INT", "TERM", "TERM in the background"],
)
def test_serve_says_how_to_connect_and_stops_cleanly(folder, stop, before):
    words = [sys.executable, "-m", "dialogkit", "serve", "--workspace", str(folder), "--listen", "127.0.0.1:0"]
    process = subprocess.Popen([*before, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert "form server" in requests.get(url, timeout=10).text
        listed = json.loads(run(folder, "key", "list", "--json").stdout)
        assert [(one["label"], one["role"]) for one in listed] == [("phones", "phone"), ("staff", "staff")]
        time.sleep(0.2)
        process.send_signal(stop)
        out, err = process.communicate(timeout=20)
    finally:
        process.kill()
    assert (process.returncode, out) == (0, "")
    assert "Forms: talk 1" in err
    assert "Add project" in err
    assert "Stopping" in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("host", "public_url", "warned"),
    [("0.0.0.0", "", True), ("0.0.0.0", "https://f.example.org", False), ("127.0.0.1", "", False)],
)
def test_serve_warns_when_others_can_reach_it_and_read_along(folder, capsys, host, public_url, warned):
    workspace = open_workspace(folder)
    access = access_of(workspace)
    access.add_key("phones", "phone")
    _tell(workspace, Running(Listening(host, 8790), (), access, public_url=public_url))
    assert ("WARNING" in capsys.readouterr().err) == warned


@pytest.mark.parametrize(("listen", "told"), [("127.0.0.1", False), ("0.0.0.0", True)])
def test_serve_says_when_run_and_share_look_elsewhere(folder, capsys, listen, told):
    workspace = open_workspace(folder)
    access = access_of(workspace)
    access.add_key("phones", "phone")
    _tell(workspace, Running(Listening(listen, 8790), (), access))
    assert ('listen = "0.0.0.0:8790" there' in capsys.readouterr().err) == told


def test_demo_in_the_background_stops_when_it_is_told_to(tmp_path):
    words = [sys.executable, "-m", "dialogkit", "demo", "--to", str(tmp_path / "d"), "--keep-serving"]
    log = (tmp_path / "err").open("w")
    process = subprocess.Popen(
        [sys.executable, "-c", IGNORING, *words, "--listen", "0.0.0.0:0"], stdout=log, stderr=log, text=True
    )
    try:
        shown = ""
        for _ in range(600):
            shown = (tmp_path / "err").read_text()
            if "Serving until" in shown or process.poll() is not None:
                break
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0, shown
    finally:
        process.kill()
        log.close()
    port = re.search(r"Address for a phone: http://([0-9.]+):([0-9]+)/key/", shown)
    assert port
    # Without any network there is no other address to name.
    assert port[1] == for_phones(f"0.0.0.0:{port[2]}").partition(":")[0]
    assert "WARNING: other devices can reach this server" in shown


def test_demo_at_a_port_that_is_taken_names_the_demo(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = CliRunner().invoke(cli, ["demo", "--to", str(tmp_path / "d"), "--listen", f"127.0.0.1:{port}"])
    assert result.exit_code == 5
    assert "error[SERVER-012]" in result.stderr
    assert "dialogkit demo --listen 127.0.0.1:0" in result.stderr
    assert "dialogkit serve" not in result.stderr


def test_run_without_the_server_says_to_start_it(folder):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    settings = folder / "dialogkit.toml"
    settings.write_text(settings.read_text().replace(":8790", f":{port}"))
    run(folder, "key", "add", "office", "--role", "staff")
    result = run(folder, "run", "talk")
    assert result.exit_code == 5
    assert "error[SERVER-001]" in result.stderr
    assert "Start dialogkit serve in another window, then try again." in result.stderr
    assert "dialogkit.toml (listen)" in result.stderr


@pytest.mark.parametrize("command", ["serve", "share"])
def test_config_016_an_address_for_phones_is_one_of_the_web(folder, command):
    run(folder, "key", "add", "phones")
    result = run(folder, command, "--public-url", "forms.example.org")
    assert result.exit_code == 3
    assert "error[CONFIG-016] --public-url" in result.stderr
    assert "/key/" not in result.output


def test_config_017_a_staff_key_is_not_shown_for_a_phone(folder):
    token = run(folder, "key", "add", "office", "--role", "staff").stdout.strip()
    result = run(folder, "share", "--key", "office")
    assert result.exit_code == 3
    assert "error[CONFIG-017]" in result.stderr
    assert token not in result.output


def test_serve_at_a_port_that_is_taken_ends_with_5_and_the_way_out(folder):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run(folder, "serve", "--listen", f"127.0.0.1:{port}")
    assert result.exit_code == 5
    assert "error[SERVER-012]" in result.stderr
    assert f"port {port}" in result.stderr
    assert "--listen" in result.stderr


def test_serve_leaves_out_a_form_that_is_not_fit_and_refuses_when_none_is(folder):
    (folder / "talk.md").write_text("not a form")
    result = run(folder, "serve", "--listen", "127.0.0.1:0")
    assert result.exit_code == 4
    assert "error[FORM-" in result.stderr


def test_serve_with_a_strange_address_is_wrong_usage_of_the_settings(folder):
    result = run(folder, "serve", "--listen", "8790")
    assert result.exit_code == 3
    assert "error[CONFIG-012]" in result.stderr
