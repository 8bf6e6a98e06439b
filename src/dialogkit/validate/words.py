"""Small things that the readers of a file of rules share."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from dialogkit.errors import ConfigError


def refusal(code: str, message: str, fix: str, path: Path, rule: str) -> ConfigError:
    """A problem of one rule of a file."""
    return ConfigError(code, f"{path}, rule {rule}", message, fix)


def near(word: str, known: Iterable[str]) -> str:
    """A suggestion for a misspelt word."""
    found = difflib.get_close_matches(word, list(known), 1)
    return f"Did you mean {found[0]}?" if found else "Correct the name."


def is_share(value: object) -> bool:
    """Whether it is a number from 0 to 1."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def listed(value: object) -> list[Any]:
    """A list as it is; nothing for anything else."""
    return value if isinstance(value, list) else []
