"""Validation with Great Expectations as the gate: of a million submissions, and of a hundred beside a million."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from typing import Final

import duckdb

from dialogkit.model.report import Report
from dialogkit.model.staged import Staged
from dialogkit.normalize.staging import stage
from dialogkit.pull.batches import batches, open_batch
from dialogkit.validate.check import check
from dialogkit.validate.quality.rules import prepare, quality_rules
from dialogkit.validate.rule import Rule
from dialogkit.validate.rules import rules_of
from dialogkit.validate.suites import read_rules_file, rules_in
from dialogkit.warehouse.connect import writing
from dialogkit.warehouse.ddl import standing
from dialogkit.workspace import open_workspace
from tests.benchmarks.logical import FORM_ID, suite_toml, whole_form_toml
from tests.benchmarks.meter import Meter, peak_megabytes
from tests.benchmarks.validating import TODAY, opened
from tests.benchmarks.validating_prepare import LANDED, another_batch, logical_workspace

_FEW: Final = 100
#: What `validations/<form_id>.toml` turns on, beside the rules that run without it.
_FILES: Final[Mapping[str, str]] = {
    "default": "",
    "whole_form": whole_form_toml(),
    "near": '[quality.near]\nwithin = ["day"]\n',
    "outlier": '[quality.outlier]\ncolumns = ["number_0", "amount_0"]\n',
}


def gate(folder: Path) -> dict[str, float]:
    """The violation table, and the gate over it."""
    with opened(folder) as (db, staged):
        rules = rules_of(staged)
        with Meter() as meter:
            report = check(db, staged, rules, today=TODAY)
    return {"cpu": meter.cpu, "peak": peak_megabytes(), "found": _found(report)}


def people(folder: Path) -> dict[str, float]:
    """The same with rules of people too, in Great Expectations' own types."""
    file = folder / "suite.toml"
    file.write_text(suite_toml(), encoding="utf-8")
    with opened(folder) as (db, staged):
        suite = rules_in(read_rules_file(file), staged, db)
        rules = (*rules_of(staged), *suite)
        with Meter() as meter:
            report = check(db, staged, rules, today=TODAY)
    return {"cpu": meter.cpu, "peak": peak_megabytes(), "found": _found(report), "rules": len(suite)}


def beside(folder: Path, times: int) -> dict[str, float]:
    """100 new submissions judged beside the many that are accepted, and beside none; medians of so many times each.

    Returns:
        For each set of rules the CPU seconds of all that a landing does to judge a batch, in the full warehouse
        (`default_full`…) and in an empty one (`default_empty`…).
    """
    empty, built = logical_workspace(folder / "empty")
    another_batch(empty, built, _FEW)
    sides = {"full": open_workspace(folder / LANDED), "empty": empty}
    found: dict[str, list[float]] = {}
    for _ in range(times + 1):
        for side, workspace in sides.items():
            with writing(workspace.warehouse) as db:
                batch = open_batch(batches(empty.batches, FORM_ID)[0])
                staged = stage(db, batch.manifest, batch.submissions, batch.forms(), standing(db, FORM_ID))
                found.setdefault(f"form_{side}", []).append(_judged(db, staged, lambda: ()))
                for name, text in _FILES.items():
                    made = _Made(db, staged, folder / "set.toml", text)
                    found.setdefault(f"{name}_{side}", []).append(_judged(db, staged, made))
    # The first of each warms up what only a first check of a process reads.
    return {name: median(each[1:]) for name, each in found.items()}


class _Made:
    """The rules that a file turns on, and those of quality that run without it."""

    def __init__(self, db: duckdb.DuckDBPyConnection, staged: Staged, path: Path, text: str) -> None:
        self.db, self.staged, self.path = db, staged, path
        path.write_text(text, encoding="utf-8")

    def __call__(self) -> tuple[Rule, ...]:
        file = read_rules_file(self.path)
        past = prepare(self.db, self.staged)
        return (*quality_rules(self.staged, file.quality, past), *rules_in(file, self.staged, self.db))


def _judged(db: duckdb.DuckDBPyConnection, staged: Staged, others: Callable[[], tuple[Rule, ...]]) -> float:
    with Meter() as meter:
        report = check(db, staged, (*rules_of(staged), *others()), today=TODAY)
    _found(report)
    return meter.cpu


def _found(report: Report) -> int:
    assert all(result.evaluated for result in report.results)
    return sum(result.violations for result in report.results)
