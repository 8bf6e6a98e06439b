"""Writes docs/settings.md from the table of settings in config.py: `python scripts/settings.py`."""

from __future__ import annotations

from pathlib import Path

from dialogkit.config import ENVIRONMENT, FILE_NAME, KEYS

_HEAD = f"""\
# Settings

<!-- Written by scripts/settings.py from src/dialogkit/config.py; a test fails when it is not current. -->

All settings of a workspace stand in `{FILE_NAME}`. An option of a command wins over the environment, the environment
over the file, the file over the default. The variable of a setting is `{ENVIRONMENT}` with its section and key in
capitals: `{ENVIRONMENT}LAND_ON_FAILURE`. Secrets never stand in the file: it names the variable that holds them.
`dialogkit config` shows each value and where it came from. Unknown keys are errors, with a suggestion.
"""
_TITLES = {"servers": "servers.NAME", "forms": "forms.FORM_ID"}


def page() -> str:
    """The whole page."""
    parts = [_HEAD]
    for section, keys in KEYS.items():
        parts.append(f"\n## [{_TITLES.get(section, section)}]\n\n| key | default | what it is |\n|---|---|---|\n")
        for name, key in keys.items():
            allowed = f" One of: {', '.join(map(str, key.allowed))}." if key.allowed else ""
            default = f"`{key.default}`" if key.default not in ("", 0) else ""
            parts.append(f"| `{name}` | {default} | {key.about}{allowed} |\n")
    return "".join(parts)


if __name__ == "__main__":
    Path(__file__).parents[1].joinpath("docs", "settings.md").write_text(page(), encoding="utf-8")
