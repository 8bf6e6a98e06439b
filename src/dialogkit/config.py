"""Settings of a workspace: `dialogkit.toml`, the environment over it, and where each value came from."""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from dialogkit.errors import ConfigError

FILE_NAME: Final = "dialogkit.toml"
ENVIRONMENT: Final = "DIALOGKIT_"
KINDS: Final = ("openrosa", "kobo", "central", "folder")
_MEMORY: Final = r"[0-9]+(\.[0-9]+)? ?[KMGT]i?B"


@dataclass(frozen=True)
class Key:
    """One setting: its type, default, allowed values and what it is for (the documentation prints this)."""

    kind: type
    default: Any
    about: str
    allowed: tuple[Any, ...] = ()
    pattern: str = ""
    least: int | None = None


#: Section → key → what it is. `servers` and `forms` hold one such section for each name.
KEYS: Final[Mapping[str, Mapping[str, Key]]] = {
    "workspace": {
        "name": Key(str, "dialogkit workspace", "Name of the workspace, shown to people."),
        "team_contact": Key(str, "", "Where people write to the team; goes into the consent notes of every form."),
        "team_server": Key(str, "", "Who runs the server and in which country; goes into the consent notes."),
    },
    "servers": {
        "kind": Key(str, "openrosa", "What kind of form server it is.", KINDS),
        "listen": Key(str, "", "Address and port of the embedded server, such as 127.0.0.1:8790."),
        "url": Key(str, "", "Address of a server that is not ours."),
        "token_env": Key(str, "", "Name of the environment variable that holds the token."),
        "project_id": Key(int, 0, "Project number on ODK Central."),
        "email_env": Key(str, "", "Name of the environment variable that holds the e-mail address."),
        "password_env": Key(str, "", "Name of the environment variable that holds the password."),
        "passphrase_env": Key(str, "", "Name of the variable with the passphrase of ODK Central's own encryption."),
        "path": Key(str, "", "Folder with data that left its server (kind folder), from the folder of this file."),
    },
    "forms": {
        "file": Key(str, "", "The workbook, from the folder of this file."),
        "server": Key(str, "", "Name of the server under [servers] that it is placed on."),
        "remote_id": Key(str, "", "What the server calls a form that is there already (Kobo: its uid)."),
        "private_key_env": Key(str, "", "Name of the variable with the path of the private key for encrypted answers."),
    },
    "land": {
        "on_failure": Key(str, "hold", "What happens to a submission that breaks a rule.", ("hold", "stop")),
        "memory_limit": Key(str, "600MB", "Memory that DuckDB may use while it lands.", pattern=_MEMORY),
    },
    "publish": {
        "smallest_cell": Key(int, 5, "Counts of groups under this are not shown.", least=1),
        "licence": Key(str, "CC-BY-4.0", "Licence of published extracts."),
    },
}
_NAMED: Final = ("servers", "forms")


@dataclass(frozen=True)
class WorkspaceSection:
    """`[workspace]`."""

    name: str
    team_contact: str
    team_server: str


@dataclass(frozen=True)
class ServerSection:
    """`[servers.<name>]`. The embedded server is the one with `listen`."""

    name: str
    kind: str
    listen: str
    url: str
    token_env: str
    project_id: int
    email_env: str
    password_env: str
    passphrase_env: str
    path: str

    @property
    def embedded(self) -> bool:
        """Whether dialogkit itself is this server."""
        return self.kind == "openrosa" and bool(self.listen)


@dataclass(frozen=True)
class FormSection:
    """`[forms.<form_id>]`."""

    name: str
    file: str
    server: str
    remote_id: str
    private_key_env: str


@dataclass(frozen=True)
class LandSection:
    """`[land]`."""

    on_failure: str
    memory_limit: str


@dataclass(frozen=True)
class PublishSection:
    """`[publish]`."""

    smallest_cell: int
    licence: str


@dataclass(frozen=True)
class Config:
    """All settings. `origins` says for each dotted key where its value came from."""

    workspace: WorkspaceSection
    servers: Mapping[str, ServerSection]
    forms: Mapping[str, FormSection]
    land: LandSection
    publish: PublishSection
    origins: Mapping[str, str] = field(default_factory=dict)


def read_config(path: Path, environment: Mapping[str, str] | None = None) -> Config:
    """The settings in `path`, with the environment over them.

    Raises:
        ConfigError: not TOML, an unknown key (with a suggestion), a wrong type or a value that is not allowed.
    """
    env = os.environ if environment is None else environment
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(
            "CONFIG-002", path.name, f"The file is not valid TOML: {error}.", "Correct the line that is named."
        ) from None
    except OSError as error:
        raise ConfigError(
            "CONFIG-002", path.name, f"The file cannot be read ({error.strerror}).", "Check its permissions."
        ) from None
    _refuse_unknown(path.name, "", data, KEYS)
    origins: dict[str, str] = {}
    plain = {
        section: _section(path.name, section, _table(path.name, section, data.get(section, {})), env, origins)
        for section in KEYS
        if section not in _NAMED
    }
    named = {
        group: {
            name: {"name": name}
            | _section(path.name, f"{group}.{name}", _table(path.name, f"{group}.{name}", table), env, origins)
            for name, table in _table(path.name, group, data.get(group, {})).items()
        }
        for group in _NAMED
    }
    _refuse_unknown_servers(path.name, named)
    return Config(
        workspace=WorkspaceSection(**plain["workspace"]),
        servers={name: ServerSection(**values) for name, values in named["servers"].items()},
        forms={name: FormSection(**values) for name, values in named["forms"].items()},
        land=LandSection(**plain["land"]),
        publish=PublishSection(**plain["publish"]),
        origins=origins,
    )


def _table(file: str, where: str, value: Any) -> Mapping[str, Any]:
    if isinstance(value, Mapping):
        return value
    raise ConfigError("CONFIG-004", f"{file}, [{where}]", "This must be a section, not a value.", f"Write [{where}].")


def _section(
    file: str, where: str, table: Mapping[str, Any], env: Mapping[str, str], origins: dict[str, str]
) -> dict[str, Any]:
    keys = KEYS[where.split(".", maxsplit=1)[0]]
    _refuse_unknown(file, where, table, keys)
    values: dict[str, Any] = {}
    for name, key in keys.items():
        variable = ENVIRONMENT + f"{where}.{name}".replace(".", "_").replace("-", "_").upper()
        if variable in env:
            value, origins[f"{where}.{name}"] = _from_text(variable, env[variable], key), f"environment {variable}"
        elif name in table:
            value, origins[f"{where}.{name}"] = table[name], file
        else:
            value, origins[f"{where}.{name}"] = key.default, "default"
        _check(file, f"{where}.{name}", value, key)
        values[name] = value
    return values


def _from_text(variable: str, text: str, key: Key) -> Any:
    if key.kind is not int:
        return text
    try:
        return int(text)
    except ValueError:
        raise ConfigError(
            "CONFIG-004", f"environment {variable}", "This must be a whole number.", "Correct the variable."
        ) from None


def _check(file: str, where: str, value: Any, key: Key) -> None:
    if not isinstance(value, key.kind) or isinstance(value, bool):
        wanted = {"str": "a text in quotes", "int": "a whole number"}[key.kind.__name__]
        raise ConfigError("CONFIG-004", f"{file}, {where}", f"This must be {wanted}.", key.about)
    if key.allowed and value not in key.allowed:
        allowed = ", ".join(map(str, key.allowed))
        raise ConfigError("CONFIG-004", f"{file}, {where}", "This value is not allowed.", f"Use one of: {allowed}.")
    if key.pattern and not re.fullmatch(key.pattern, str(value)):
        raise ConfigError(
            "CONFIG-004", f"{file}, {where}", "This value is not allowed.", f"Write it as here: {key.default}."
        )
    if isinstance(value, int) and key.least is not None and value < key.least:
        raise ConfigError("CONFIG-004", f"{file}, {where}", "This is too small.", f"Use {key.least} or more.")


def _refuse_unknown(file: str, where: str, table: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    for name in table:
        if name in known:
            continue
        near = difflib.get_close_matches(name, known, n=1)
        meant = f"Did you mean {near[0]}?" if near else f"Keys here: {', '.join(known)}."
        place = f"{file}, [{where}]" if where else file
        raise ConfigError("CONFIG-003", place, f"{name} is not a key of dialogkit.", meant)


def _refuse_unknown_servers(file: str, named: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> None:
    for name, form in named["forms"].items():
        if form["server"] and form["server"] not in named["servers"]:
            known = ", ".join(named["servers"]) or "none yet"
            raise ConfigError(
                "CONFIG-006",
                f"{file}, forms.{name}.server",
                f"There is no server named {form['server']}.",
                f"Servers of this workspace: {known}.",
            )
