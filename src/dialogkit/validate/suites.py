"""Rules of people: `validations/<form_id>.toml`, in Great Expectations' own types and arguments."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from dialogkit.errors import ConfigError
from dialogkit.model.staged import Staged
from dialogkit.validate.entry import Entry
from dialogkit.validate.overrides import Overrides
from dialogkit.validate.rule import Rule
from dialogkit.validate.scope import WholeForm
from dialogkit.validate.words import refusal
from dialogkit.validate.wrong import problems_of


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
        ConfigError: CONFIG-020, it is not TOML, or holds something else than rules.
    """
    if not path.is_file():
        return RulesFile(path, (), Overrides(path))
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError("CONFIG-020", str(path), f"This is not a TOML file: {error}.", "Correct it there.") from None
    rules, form, quality = data.pop("rule", []), data.pop("form", {}), data.pop("quality", {})
    tables = [rules, list(form.values()) if isinstance(form, dict) else None]
    tables.append(list(quality.values()) if isinstance(quality, dict) else None)
    if data or not all(_are_tables(some) for some in tables):
        message = "The file may hold nothing but rules, each under [[rule]], and tables [form.…] and [quality.…]."
        raise ConfigError("CONFIG-020", str(path), message, "Take out everything else.")
    return RulesFile(path, tuple(rules), Overrides(path, form), quality)


def rules_in(file: RulesFile, staged: Staged, db: duckdb.DuckDBPyConnection) -> tuple[Rule, ...]:
    """The rules of people in a file, for a batch.

    Raises:
        ConfigError: CONFIG-021 (a key of ours), CONFIG-022 (unknown type), CONFIG-023 (arguments), CONFIG-024 (table
            or column), CONFIG-025 (a type that does not work here), CONFIG-026 (a rule that names no rows may only be
            a note), CONFIG-027 (`when`), CONFIG-028 (a code used twice), CONFIG-050 and 051 (`[form…]`), CONFIG-052
            (`mostly`), CONFIG-053 (`scope`), CONFIG-054 and 055 (SQL). With several, the last carries those before it.
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


def together(wrong: Sequence[ConfigError]) -> ConfigError:
    """Several problems as one error: the last, with those before it."""
    *before, last = wrong
    return ConfigError(
        last.code, last.where, last.problem.message, last.problem.fix, tuple(error.problem for error in before)
    )


def _are_tables(some: object) -> bool:
    return isinstance(some, list) and all(isinstance(one, dict) for one in some)
