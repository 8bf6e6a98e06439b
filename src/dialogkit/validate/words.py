"""Small things that the readers of a file of rules share."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from dialogkit.errors import ConfigError
from dialogkit.validate.texts import LANGUAGES


def place(path: Path) -> str:
    """A file of rules as messages name it: inside the workspace."""
    return f"validations/{path.name}"


def refusal(code: str, message: str, fix: str, path: Path, rule: str) -> ConfigError:
    """A problem of one rule of a file."""
    return ConfigError(code, f"{place(path)}, rule {rule}", message, fix)


def together(wrong: Sequence[ConfigError]) -> ConfigError:
    """Several problems as one error: the last, with those before it."""
    *before, last = wrong
    return ConfigError(
        last.code, last.where, last.problem.message, last.problem.fix, tuple(error.problem for error in before)
    )


def near(word: str, known: Iterable[str]) -> str:
    """A suggestion for a misspelt word."""
    found = difflib.get_close_matches(word, list(known), 1)
    return f"Did you mean {found[0]}?" if found else "Correct the name."


def foreign(message: object) -> list[str]:
    """The languages of a message that are none of ours, as they are written."""
    return [key for key in message if key not in LANGUAGES] if isinstance(message, dict) else []


def is_share(value: object) -> bool:
    """Whether it is a number from 0 to 1."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def listed(value: object) -> list[Any]:
    """A list as it is; nothing for anything else."""
    return value if isinstance(value, list) else []
