"""`dialogkit config`."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path

import click

from dialogkit.cli import options, output


@click.command("config")
@options.workspace
@options.as_json
def command(folder: Path | None, as_json: bool) -> None:
    """Show every setting and where it came from. Secrets are never shown, only whether they are set."""
    from dialogkit.workspace import open_workspace

    config = open_workspace(folder).config
    settings = asdict(config)
    rows = []
    for key, origin in config.origins.items():
        value = settings
        for part in _parts(key):
            value = value[part]
        rows.append((key, _shown(key, str(value)), origin))
    if as_json:
        output.data([{"key": key, "value": value, "origin": origin} for key, value, origin in rows])
    else:
        output.table(["key", "value", "from"], rows)


def _parts(key: str) -> list[str]:
    """`servers.a.b.kind` → `servers`, `a.b`, `kind`: the name of a server or form may hold dots."""
    section, _, rest = key.partition(".")
    name, _, last = rest.rpartition(".")
    return [section, name, last] if name else [section, last]


def _shown(key: str, value: str) -> str:
    if key.endswith("_env") and value:
        return f"{value} ({'set' if value in os.environ else 'not set'})"
    return value
