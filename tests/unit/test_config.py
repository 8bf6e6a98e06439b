"""Settings: the file, the environment over it, and every way to get them wrong."""

from __future__ import annotations

from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend

from dialogkit.config import FILE_NAME, KEYS, Config, read_config
from dialogkit.errors import ConfigError
from dialogkit.steps.init import init
from dialogkit.steps.pull import Wishes, pull, server_of
from dialogkit.steps.secret import secret
from dialogkit.workspace import open_workspace

WHOLE = """
[workspace]
name = "Local dialogues"
[servers.field]
kind = "openrosa"
listen = "127.0.0.1:8790"
[servers.other]
url = "https://forms.example.org/{token}"
token_env = "OTHER_TOKEN"
[forms.local_dialogue]
file = "forms/local_dialogue.xlsx"
server = "field"
[publish]
smallest_cell = 7
"""


def config_of(tmp_path: Path, text: str, environment: dict[str, str] | None = None) -> Config:
    path = tmp_path / FILE_NAME
    path.write_text(text, encoding="utf-8")
    return read_config(path, environment or {})


def error_of(tmp_path: Path, text: str, environment: dict[str, str] | None = None) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        config_of(tmp_path, text, environment)
    return caught.value


def test_what_the_file_says_is_taken_and_the_rest_is_default(tmp_path):
    config = config_of(tmp_path, WHOLE)
    assert (config.workspace.name, config.workspace.team_contact) == ("Local dialogues", "")
    assert config.forms["local_dialogue"].server == "field"
    assert (config.publish.smallest_cell, config.publish.licence) == (7, "CC-BY-4.0")
    assert config.land.on_failure == "hold"


def test_a_server_with_listen_is_ours_and_one_with_an_address_is_not(tmp_path):
    config = config_of(tmp_path, WHOLE)
    assert config.servers["field"].embedded
    assert not config.servers["other"].embedded


def test_an_empty_file_is_a_workspace_of_defaults(tmp_path):
    config = config_of(tmp_path, "")
    assert (config.servers, config.forms, config.publish.smallest_cell) == ({}, {}, 5)


def test_the_environment_wins_over_the_file_and_the_origin_says_so(tmp_path):
    config = config_of(
        tmp_path,
        WHOLE,
        {"DIALOGKIT_WORKSPACE_NAME": "From outside", "DIALOGKIT_PUBLISH_SMALLEST_CELL": "9"},
    )
    assert (config.workspace.name, config.publish.smallest_cell) == ("From outside", 9)
    assert config.origins["workspace.name"] == "environment DIALOGKIT_WORKSPACE_NAME"
    assert config.origins["servers.field.listen"] == FILE_NAME
    assert config.origins["land.on_failure"] == "default"


def test_the_environment_reaches_a_named_section(tmp_path):
    config = config_of(
        tmp_path,
        '[forms.a-b]\nfile = "x.xlsx"\n[servers.field]\nlisten = "127.0.0.1:1"\n',
        {"DIALOGKIT_FORMS_A_B_SERVER": "field", "DIALOGKIT_SERVERS_FIELD_LISTEN": "127.0.0.1:2"},
    )
    assert config.forms["a-b"].server == "field"
    assert config.servers["field"].listen == "127.0.0.1:2"


def test_every_value_has_an_origin(tmp_path):
    origins = config_of(tmp_path, WHOLE).origins
    plain = {f"{section}.{key}" for section in ("workspace", "land", "publish") for key in KEYS[section]}
    named = {f"forms.local_dialogue.{key}" for key in KEYS["forms"]}
    named |= {f"servers.{name}.{key}" for name in ("field", "other") for key in KEYS["servers"]}
    assert set(origins) == plain | named


def test_a_byte_order_mark_of_a_windows_editor_is_no_error(tmp_path):
    assert config_of(tmp_path, "\ufeff" + WHOLE).workspace.name == "Local dialogues"


def test_config_001_no_workspace_here_or_above(tmp_path):
    with pytest.raises(ConfigError) as caught:
        open_workspace(tmp_path)
    assert str(caught.value) == (
        f"error[CONFIG-001] {tmp_path}\n"
        "  There is no dialogkit.toml here or in a folder above, so this is not a workspace.\n"
        "  Make one with: dialogkit init, or name one with: --workspace FOLDER"
    )


def test_the_workspace_is_found_from_a_folder_inside(tmp_path):
    (tmp_path / FILE_NAME).write_text(WHOLE)
    inside = tmp_path / "a" / "b"
    inside.mkdir(parents=True)
    assert open_workspace(inside).root == tmp_path.resolve()


def test_config_002_not_toml(tmp_path):
    error = error_of(tmp_path, "[workspace\nname = 1")
    assert str(error) == (
        "error[CONFIG-002] dialogkit.toml\n"
        "  The file is not valid TOML: Expected ']' at the end of a table declaration (at line 1, column 11).\n"
        "  Correct the line that is named."
    )


def test_config_002_not_text(tmp_path):
    (tmp_path / FILE_NAME).write_bytes(b"\xff\xfe[")
    with pytest.raises(ConfigError) as caught:
        read_config(tmp_path / FILE_NAME, {})
    assert (caught.value.code, caught.value.fix) == ("CONFIG-002", "Correct the line that is named.")


def test_config_002_not_readable(tmp_path):
    (tmp_path / FILE_NAME).mkdir()
    with pytest.raises(ConfigError) as caught:
        read_config(tmp_path / FILE_NAME, {})
    assert str(caught.value) == (
        "error[CONFIG-002] dialogkit.toml\n  The file cannot be read (Is a directory).\n  Check its permissions."
    )


@pytest.mark.parametrize(
    ("text", "where", "message", "fix"),
    [
        ('[forms.a]\nfle = "x"', "dialogkit.toml, [forms.a]", "fle", "Did you mean file?"),
        ('[workspce]\nname = "x"', "dialogkit.toml", "workspce", "Did you mean workspace?"),
        ("[land]\nzzz = 1", "dialogkit.toml, [land]", "zzz", "Keys here: on_failure, memory_limit."),
    ],
)
def test_config_003_an_unknown_key_comes_with_a_suggestion(tmp_path, text, where, message, fix):
    error = error_of(tmp_path, text)
    assert str(error) == f"error[CONFIG-003] {where}\n  {message} is not a key of dialogkit.\n  {fix}"


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        ('[publish]\nsmallest_cell = "5"', "dialogkit.toml, publish.smallest_cell", "This must be a whole number."),
        ("[publish]\nsmallest_cell = true", "dialogkit.toml, publish.smallest_cell", "This must be a whole number."),
        ("[publish]\nsmallest_cell = 5.5", "dialogkit.toml, publish.smallest_cell", "This must be a whole number."),
        ("[workspace]\nname = 5", "dialogkit.toml, workspace.name", "This must be a text in quotes."),
        ("[forms.a]\nfile = []", "dialogkit.toml, forms.a.file", "This must be a text in quotes."),
    ],
)
def test_config_004_a_value_of_the_wrong_type(tmp_path, text, where, message):
    error = error_of(tmp_path, text)
    assert (error.code, error.where, error.problem.message) == ("CONFIG-004", where, message)


def test_config_004_a_value_that_is_not_allowed_names_those_that_are(tmp_path):
    error = error_of(tmp_path, '[land]\non_failure = "ignore"')
    assert str(error) == (
        "error[CONFIG-004] dialogkit.toml, land.on_failure\n  This value is not allowed.\n  Use one of: hold, stop."
    )


def test_config_004_a_value_where_a_section_belongs(tmp_path):
    error = error_of(tmp_path, '[servers]\nkind = "openrosa"')
    assert (error.code, error.where, error.fix) == (
        "CONFIG-004",
        "dialogkit.toml, [servers.kind]",
        "Write [servers.kind].",
    )


def test_config_004_a_number_of_the_environment_must_be_one_and_is_not_quoted(tmp_path):
    error = error_of(tmp_path, "", {"DIALOGKIT_PUBLISH_SMALLEST_CELL": "s3cret"})
    assert str(error) == (
        "error[CONFIG-004] environment DIALOGKIT_PUBLISH_SMALLEST_CELL\n"
        "  This must be a whole number.\n"
        "  Correct the variable."
    )


@pytest.mark.parametrize("value", ["lots", "1", "-1GB", "GB", ""])
def test_config_004_memory_is_a_number_with_its_unit(tmp_path, value):
    error = error_of(tmp_path, f'[land]\nmemory_limit = "{value}"')
    assert (error.code, error.where) == ("CONFIG-004", "dialogkit.toml, land.memory_limit")


@pytest.mark.parametrize("value", [0, -5])
def test_config_004_small_cells_cannot_be_switched_off(tmp_path, value):
    error = error_of(tmp_path, f"[publish]\nsmallest_cell = {value}")
    assert (error.code, error.where) == ("CONFIG-004", "dialogkit.toml, publish.smallest_cell")


def test_config_005_a_form_that_the_workspace_does_not_name(tmp_path):
    (tmp_path / FILE_NAME).write_text(WHOLE)
    with pytest.raises(ConfigError) as caught:
        open_workspace(tmp_path).form_file("local_dialog")
    assert str(caught.value) == (
        "error[CONFIG-005] dialogkit.toml, [forms]\n"
        "  There is no form named local_dialog. Forms of this workspace: local_dialogue.\n"
        '  Correct the name, or add [forms.local_dialog] with file = "forms/local_dialog.xlsx".'
    )


def test_config_006_a_form_on_a_server_that_is_not_there(tmp_path):
    error = error_of(tmp_path, '[forms.a]\nserver = "field"')
    assert str(error) == (
        "error[CONFIG-006] dialogkit.toml, forms.a.server\n"
        "  There is no server named field.\n"
        "  Servers of this workspace: none yet."
    )


def test_config_007_a_form_on_no_server_cannot_be_pulled(tmp_path):
    (tmp_path / FILE_NAME).write_text('[forms.a]\nfile = "a.xlsx"')
    with pytest.raises(ConfigError) as caught:
        server_of(open_workspace(tmp_path), "a")
    assert str(caught.value) == (
        "error[CONFIG-007] dialogkit.toml, forms.a\n"
        "  The form is on no server.\n"
        '  Add server = "…" to [forms.a], or import what was published: dialogkit import a FILE'
    )


def test_config_008_a_server_of_nowhere(tmp_path):
    assert _no_server(tmp_path, 'kind = "openrosa"').code == "CONFIG-008"


@pytest.mark.parametrize(
    ("server", "missing"),
    [
        ('kind = "kobo"\ntoken_env = "T"', "url"),
        ('kind = "kobo"\nurl = "https://kf.example.org"', "token_env"),
        ('kind = "central"\nurl = "https://c.example.org"\nemail_env = "E"\npassword_env = "P"', "project_id"),
        ('kind = "folder"', "path"),
    ],
)
def test_config_031_what_a_kind_of_server_cannot_do_without(tmp_path, server, missing):
    error = _no_server(tmp_path, server)
    assert (error.code, error.where) == ("CONFIG-031", "dialogkit.toml, servers.s")
    assert error.fix.startswith(f"Add {missing} = ")


def test_config_033_a_form_that_was_never_deployed(tmp_path, monkeypatch):
    monkeypatch.setenv("T", "token")
    error = _no_server(tmp_path, 'kind = "kobo"\nurl = "https://kf.example.org"\ntoken_env = "T"')
    assert (error.code, error.fix.startswith("Deploy it: dialogkit deploy a. ")) == ("CONFIG-033", True)


@pytest.mark.parametrize("url", ["127.0.0.1:8701", "kf.example.org", "https://", "https://c.example.org/#/projects/1"])
def test_config_036_an_address_that_is_none(tmp_path, url):
    error = _no_server(tmp_path, f'kind = "kobo"\nurl = "{url}"\ntoken_env = "T"')
    assert (error.code, error.where) == ("CONFIG-036", "dialogkit.toml, servers.s.url")


def test_config_009_a_token_that_is_not_set_is_asked_for_by_the_name_of_its_variable(tmp_path):
    error = _no_server(tmp_path, 'url = "http://127.0.0.1:1/{token}"\ntoken_env = "NOT_SET_HERE"')
    assert str(error) == (
        "error[CONFIG-009] dialogkit.toml, servers.s.token_env\n"
        "  The environment variable NOT_SET_HERE is not set.\n"
        "  Set it to the token: export NOT_SET_HERE=…   or keep it in the keyring: keyring set dialogkit NOT_SET_HERE"
    )


def test_config_030_a_secret_without_a_name():
    with pytest.raises(ConfigError) as caught:
        secret("forms.a.private_key_env", "", "the private key")
    assert (caught.value.code, caught.value.where) == ("CONFIG-030", "dialogkit.toml, forms.a.private_key_env")


def test_a_secret_comes_from_the_keyring_when_the_environment_has_none(monkeypatch):
    class Ring(KeyringBackend):
        priority = 1

        def get_password(self, service, username):
            return "from the ring" if (service, username) == ("dialogkit", "NOT_SET_HERE") else None

        def set_password(self, service, username, password):
            raise NotImplementedError

        def delete_password(self, service, username):
            raise NotImplementedError

    before = keyring.get_keyring()
    keyring.set_keyring(Ring())
    try:
        assert secret("servers.s.token_env", "NOT_SET_HERE", "the token") == "from the ring"
        monkeypatch.setenv("NOT_SET_HERE", "from the environment")
        assert secret("servers.s.token_env", "NOT_SET_HERE", "the token") == "from the environment"
    finally:
        keyring.set_keyring(before)


def test_config_035_a_private_key_that_cannot_be_read(tmp_path):
    workspace = init(tmp_path, "keys", team_contact="x", team_server="y")
    with pytest.raises(ConfigError) as caught:
        pull(workspace, ["local_dialogue"], wishes=Wishes(keys=(tmp_path / "none.pem",)))
    assert (caught.value.code, caught.value.where) == ("CONFIG-035", "none.pem")


def _no_server(folder: Path, server: str) -> ConfigError:
    (folder / FILE_NAME).write_text(f'[servers.s]\n{server}\n[forms.a]\nfile = "a.xlsx"\nserver = "s"')
    with pytest.raises(ConfigError) as caught:
        server_of(open_workspace(folder), "a")
    return caught.value


def test_config_010_a_workspace_is_not_made_twice(tmp_path):
    (tmp_path / FILE_NAME).write_text(WHOLE)
    with pytest.raises(ConfigError) as caught:
        init(tmp_path, "again")
    assert str(caught.value) == (
        f"error[CONFIG-010] {tmp_path}\n"
        "  This folder is a workspace already.\n"
        "  Use it as it is, or name another folder."
    )
    assert (tmp_path / FILE_NAME).read_text() == WHOLE


@pytest.mark.parametrize("name", ['a "quoted" name', "back\\slash", "líne\nbreak", "tab\t", "\x7f\x01", "雨 😀", "]"])
def test_any_name_of_a_workspace_comes_back_from_its_file(tmp_path, name):
    workspace = init(tmp_path / "w", name)
    assert workspace.config.workspace.name == name


def test_init_keeps_what_stands_there(tmp_path):
    (tmp_path / "validations").mkdir()
    (tmp_path / "forms").mkdir()
    (tmp_path / "forms" / "local_dialogue.xlsx").write_bytes(b"mine")
    (tmp_path / ".gitignore").write_text("mine")
    workspace = init(tmp_path, "Kept")
    assert (tmp_path / "forms" / "local_dialogue.xlsx").read_bytes() == b"mine"
    assert (tmp_path / ".gitignore").read_text() == "mine"
    assert "local_dialogue" in workspace.config.forms
