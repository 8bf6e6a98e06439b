"""Rules of people: `validations/<form_id>.toml`, in Great Expectations' own types and arguments."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import duckdb

from dialogkit.errors import ConfigError
from dialogkit.model.staged import Staged
from dialogkit.validate.entry import Entry
from dialogkit.validate.overrides import Overrides
from dialogkit.validate.rule import Rule
from dialogkit.validate.scope import WholeForm
from dialogkit.validate.words import near, place, refusal, together
from dialogkit.validate.wrong import problems_of

#: What may stand in the file, with the way to write it.
_PARTS: Final[Mapping[str, str]] = {
    "rule": "[[rule]], in double brackets, above each rule",
    "form": "[form.FORM-CONSTRAINT], with a key such as action below it",
    "quality": "[quality.speed], with a key such as seconds below it",
}


@dataclass(frozen=True)
class RulesFile:
    """What a file of rules holds, as written.

    Args:
        path: the file; it may not be there.
        rules: each `[[rule]]`.
        overrides: `[form…]`.
        quality: each `[quality.<name>]`, by name.
    """

    path: Path
    rules: tuple[Mapping[str, Any], ...]
    overrides: Overrides
    quality: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def read_rules_file(path: Path) -> RulesFile:
    """The file; empty when there is none.

    Raises:
        ConfigError: CONFIG-020, it is not TOML, or holds something else than rules. With several, the last carries
            those before it.
    """
    if not path.is_file():
        return RulesFile(path, (), Overrides(path))
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        told = f"This is not a TOML file: {error}."
        raise ConfigError("CONFIG-020", place(path), told, "Correct it there.") from None
    if wrong := list(_misplaced(place(path), data)):
        raise together(wrong)
    return RulesFile(path, tuple(data.get("rule", ())), Overrides(path, data.get("form", {})), data.get("quality", {}))


def _misplaced(where: str, data: Mapping[str, Any]) -> Iterator[ConfigError]:
    """Everything in a file of rules that is neither a rule nor one of the tables."""
    for key, value in data.items():
        if key not in _PARTS:
            message = f"The file may hold nothing but rules, and {key} is none."
            fix = _meant(key) or "Take it out: there are [[rule]], [form.…] and [quality.…]."
            yield ConfigError("CONFIG-020", where, message, fix)
        elif key == "rule":
            if not (isinstance(value, list) and all(isinstance(one, dict) for one in value)):
                yield ConfigError("CONFIG-020", where, "rule is no list of tables.", f"Write {_PARTS[key]}.")
        elif not isinstance(value, dict):
            yield ConfigError("CONFIG-020", where, f"{key} is no table.", f"Write {_PARTS[key]}.")
        else:
            for name in [name for name, one in value.items() if not isinstance(one, dict)]:
                fix = f"Write [{key}.{name}] with its keys below it, or take it out."
                yield ConfigError("CONFIG-020", where, f"{key}.{name} is no table.", fix)


def _meant(key: str) -> str:
    """The part of the file that somebody may have meant; empty where nothing is like it."""
    known = next((part for part in _PARTS if part in near(key, _PARTS)), "")
    return f"Did you mean {known}? Write {_PARTS[known]}." if known else ""


def rules_in(file: RulesFile, staged: Staged, db: duckdb.DuckDBPyConnection) -> tuple[Rule, ...]:
    """The rules of people in a file, for a batch.

    Raises:
        ConfigError: CONFIG-021 (a key of ours), CONFIG-022 (unknown type), CONFIG-023 (arguments), CONFIG-024 (table
            or column), CONFIG-025 (a type that does not work here), CONFIG-026 (a rule that names no rows may only be
            a note), CONFIG-027 (`when`), CONFIG-028 (a code used twice), CONFIG-050 and 051 (`[form…]`), CONFIG-052
            (`mostly`), CONFIG-053 (`scope`), CONFIG-054 and 055 (SQL), CONFIG-058 (a code like ours). With several, the
            last carries those before it.
    """
    rules, wrong = judged(file, staged, db)
    if wrong:
        raise together(wrong)
    return rules


def judged(
    file: RulesFile, staged: Staged, db: duckdb.DuckDBPyConnection
) -> tuple[tuple[Rule, ...], list[ConfigError]]:
    """The rules of a file that can work, and everything that is wrong with the others and with `[form…]`."""
    whole = WholeForm(db, staged)
    rules: dict[str, Rule] = {}
    wrong = file.overrides.problems(staged)
    for number, written in enumerate(file.rules, 1):
        entry = Entry(file.path, number, written, whole)
        problems = problems_of(entry)
        if entry.code in rules:
            fix = "Give each rule a code of its own."
            problems.append(refusal("CONFIG-028", "The code is used twice.", fix, file.path, entry.code))
        wrong += problems
        if not problems:
            rules[entry.code] = entry.rule()
    return tuple(rules.values()), wrong
