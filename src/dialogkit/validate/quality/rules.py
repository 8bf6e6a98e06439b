"""The quality rules of a batch: those that need no tuning, and those that `validations/<form_id>.toml` turns on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

import duckdb

from dialogkit.errors import ConfigError
from dialogkit.model.staged import Staged
from dialogkit.validate.quality import duplicates, patterns, places, times, values
from dialogkit.validate.quality.ground import NO_PAST, Ground, Past, past_of
from dialogkit.validate.quality.settings import read_settings
from dialogkit.validate.rule import Rule
from dialogkit.validate.words import together

_MAKERS: Final[Mapping[str, Callable[[Ground], Iterator[Rule]]]] = {
    "duplicate": duplicates.duplicates,
    "near": duplicates.near_duplicates,
    "clock": times.clock,
    "hours": times.hours,
    "speed": times.speed,
    "straight": patterns.straightlining,
    "digits": patterns.digits,
    "outlier": values.outliers,
    "blanks": values.blanks,
    "point": places.points,
    "country": places.outside_country,
    "cluster": places.clusters,
}
#: An import tells nothing of how somebody worked in the field.
_OF_PHONES: Final = frozenset({"clock", "hours", "speed", "blanks"})


def prepare(db: duckdb.DuckDBPyConnection, staged: Staged) -> Past:
    """Fill the temporary table `stage_fingerprints`, and look up what the warehouse has of the form."""
    duplicates.stage_fingerprints(db, staged)
    return past_of(db, staged)


def quality_rules(staged: Staged, tables: Mapping[str, Mapping[str, Any]], past: Past = NO_PAST) -> tuple[Rule, ...]:
    """The quality rules that run on a batch.

    Args:
        staged: the batch.
        tables: the tables `[quality.<name>]` of `validations/<form_id>.toml`.
        past: of `prepare`; without it the batch is judged by itself alone.

    Raises:
        ConfigError: CONFIG-070 (no such rule), CONFIG-071 (no such key), CONFIG-072 (not what the key takes),
            CONFIG-073 (no such column), CONFIG-074 (a column of another kind), CONFIG-075 (the form lacks what the
            rule needs). With several, the last carries those before it.
    """
    rules, wrong = quality_judged(staged, tables, past)
    if wrong:
        raise together(wrong)
    return rules


def quality_judged(
    staged: Staged, tables: Mapping[str, Mapping[str, Any]], past: Past = NO_PAST
) -> tuple[tuple[Rule, ...], list[ConfigError]]:
    """As `quality_rules`: the rules that can run, and what is wrong with the settings of the others."""
    rules: dict[str, Rule] = {}
    some, wrong = read_settings(staged.form_id, tables)
    for settings in some:
        if staged.origin == "import" and settings.name in _OF_PHONES:
            continue
        try:
            made = list(_MAKERS[settings.name](Ground(staged, past, settings)))
        except ConfigError as error:
            wrong.append(error)
            continue
        for rule in made:
            rules[rule.code] = _joined(rules[rule.code], rule) if rule.code in rules else rule
    return tuple(rules.values()), wrong


def _joined(one: Rule, other: Rule) -> Rule:
    """Two rules about one question that has two columns, because it changed its type."""
    pairs = ((one.query, other.query), (one.judged, other.judged))
    both = [f"SELECT * FROM ({first}) UNION SELECT * FROM ({second})" for first, second in pairs]
    return replace(one, query=both[0], judged=both[1])
