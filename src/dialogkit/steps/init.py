"""Init: a workspace with the seven forms, their rules and findings, and the embedded server."""

from __future__ import annotations

import shutil
from pathlib import Path

from dialogkit.bundled import bundled
from dialogkit.config import FILE_NAME
from dialogkit.errors import ConfigError
from dialogkit.files import write_whole
from dialogkit.workspace import Workspace, open_workspace

_HEAD = """\
# A workspace of dialogkit. No secrets here: only names of environment variables.
[workspace]
name = {name}
team_contact = {contact}   # where people write to your team; stands in the consent notes of every form
team_server = {server}   # who runs the server, and in which country

[servers.field]
kind = "openrosa"           # the server inside dialogkit: dialogkit serve
listen = "127.0.0.1:8790"   # for phones in your network: "0.0.0.0:8790"

[land]
on_failure = "hold"         # hold: keep a submission that breaks a rule until you decide; stop: load nothing

[publish]
smallest_cell = 5
licence = "CC-BY-4.0"
"""
_FORM = """
[forms.{form_id}]
file = "forms/{form_id}.xlsx"
server = "field"
"""
_IGNORE = """\
*.duckdb
*.duckdb.wal
warehouse/batches/
warehouse/snapshots/
warehouse/versions/
server/
releases/
# holds answers
corrections/
# keys and codes that let somebody in or open answers
*.pem
/*.png
/*.svg
"""


def init(
    folder: Path, name: str, *, team_contact: str = "[contact]", team_server: str = "[server, country]"
) -> Workspace:
    """Make a workspace. What stands there already is kept.

    Raises:
        ConfigError: the folder is a workspace already.
    """
    if (folder / FILE_NAME).exists():
        raise ConfigError(
            "CONFIG-010", str(folder), "This folder is a workspace already.", "Use it as it is, or name another folder."
        )
    (folder / "warehouse").mkdir(parents=True, exist_ok=True, mode=0o700)
    for kind in ("forms", "validations", "warehouse/findings"):
        _copy(bundled(kind), folder / kind)
    forms = sorted(path.stem for path in bundled("forms").glob("*.xlsx"))
    text = _HEAD.format(name=_toml(name), contact=_toml(team_contact), server=_toml(team_server))
    text += "".join(_FORM.format(form_id=form_id) for form_id in forms)
    if not (folder / ".gitignore").exists():
        write_whole(folder / ".gitignore", _IGNORE.encode())
    # The last file to be written: a killed init is simply run again.
    write_whole(folder / FILE_NAME, text.encode())
    return open_workspace(folder)


def _copy(source: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for path in sorted(source.rglob("*")):
        other = target / path.relative_to(source)
        if path.is_file() and not other.exists():
            other.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, other)


def _toml(text: str) -> str:
    """A basic string of TOML."""
    signs = {"\\": "\\\\", '"': '\\"'}
    return '"' + "".join(signs.get(sign, sign if sign.isprintable() else f"\\u{ord(sign):04x}") for sign in text) + '"'
