"""All rules that a file of rules makes for a batch, of people and of quality: its mistakes are told together."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from dialogkit.errors import ConfigError
from dialogkit.model.staged import Staged
from dialogkit.validate.quality.rules import prepare, quality_judged
from dialogkit.validate.rule import Rule
from dialogkit.validate.suites import RulesFile, judged
from dialogkit.validate.words import together


@dataclass(frozen=True)
class Written:
    """The rules of a file: each `[[rule]]`, and those of survey practice with those that need no table."""

    people: tuple[Rule, ...]
    quality: tuple[Rule, ...]


def written_rules(file: RulesFile, staged: Staged, db: duckdb.DuckDBPyConnection) -> Written:
    """The rules of a file, for a batch.

    Raises:
        ConfigError: as `rules_in` and `quality_rules` say. With several problems, the last carries those before it.
    """
    written, wrong = judged_file(file, staged, db)
    if wrong:
        raise together(wrong)
    return written


def judged_file(file: RulesFile, staged: Staged, db: duckdb.DuckDBPyConnection) -> tuple[Written, list[ConfigError]]:
    """The rules of a file that can work, and everything that is wrong with the others."""
    quality, of_quality = quality_judged(staged, file.quality, prepare(db, staged))
    people, wrong = judged(file, staged, db)
    return Written(people, quality), [*wrong, *of_quality]
