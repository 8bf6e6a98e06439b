"""Rules of a form, of people and of survey practice: joined for a landing, checked without data, listed, exported."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from os.path import relpath
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import duckdb
import zstandard

from dialogkit.errors import ConfigError
from dialogkit.forms.versions import file_name, known_versions, media_of
from dialogkit.model.batch import SUBMISSIONS, Manifest
from dialogkit.model.form import Form
from dialogkit.model.staged import Staged
from dialogkit.model.table import Standing
from dialogkit.normalize.audit import stage_audit
from dialogkit.normalize.schema import EMPTY
from dialogkit.normalize.sources import stage_sources
from dialogkit.normalize.staging import stage
from dialogkit.problem import Problem
from dialogkit.steps.forms import own_form
from dialogkit.steps.lineage import lineage_of_form
from dialogkit.validate.export import Exported, export_suites
from dialogkit.validate.rule import Rule
from dialogkit.validate.rules import rules_of
from dialogkit.validate.suites import read_rules_file
from dialogkit.validate.trial import trial
from dialogkit.validate.words import near, place
from dialogkit.validate.written import judged_file, written_rules
from dialogkit.warehouse.connect import reading
from dialogkit.warehouse.ddl import prepare_tables, standing
from dialogkit.warehouse.history import check_history
from dialogkit.warehouse.migrate import migrate
from dialogkit.workspace import Workspace

_TIME: Final = "2000-01-01T00:00:00Z"
_NOTHING: Final = {"submissions": 0, "refused": 0, "deleted": 0, "attachments": 0, "largest_line": 0}


@dataclass(frozen=True)
class CheckedRules:
    """What a check found in the rules of one form; `rules` counts those that can work, of the form's own too."""

    form_id: str
    rules: int
    problems: tuple[Problem, ...]


@dataclass(frozen=True)
class Listed:
    """One rule of a form.

    Args:
        origin: `form`, `people` or `quality`.
        action: `hold`, `note` or `off`.
        state: `compiled`, `Python`, `not decidable` (in no version of the form) or `off`.
        reason: why some or all versions cannot be decided; empty otherwise.
    """

    form_id: str
    rule: Rule
    origin: str
    action: str
    state: str
    reason: str


def check_rules(workspace: Workspace, forms: Sequence[str] = ()) -> list[CheckedRules]:
    """Read the file of rules of each form against its known versions, and run each rule on tables without rows.

    A form that no version is kept of yet is read from its workbook.

    Raises:
        ConfigError: CONFIG-005, there is no such form.
        FormError: a workbook does not build.
        WarehouseError: the warehouse is open elsewhere.
    """
    checked = [_checked(workspace, form_id) for form_id in _chosen(workspace, forms)]
    if not forms:
        checked += [CheckedRules(path.stem, 0, (_nobody(workspace, path),)) for path in _stray(workspace)]
    return checked


def list_rules(workspace: Workspace, form_id: str = "") -> list[Listed]:
    """Every rule of a form, or of all forms.

    Raises: as `check_rules`; ConfigError too when a file of rules has a problem.
    """
    return [one for chosen in _chosen(workspace, [form_id] if form_id else []) for one in _listed(workspace, chosen)]


def export_rules(workspace: Workspace, to: Path, forms: Sequence[str] = ()) -> list[Exported]:
    """Write the rules as suites that Great Expectations itself loads and runs over a snapshot.

    Raises: as `list_rules`.
    """
    done = []
    snapshots = relpath(workspace.snapshots, to)
    for form_id in _chosen(workspace, forms):
        with _empty_batch(workspace, form_id, accepted=False) as (db, staged), duckdb.connect() as snapshot:
            migrate(snapshot, "memory")
            prepare_tables(snapshot, staged.tables)
            file = read_rules_file(workspace.validations / f"{form_id}.toml")
            written = written_rules(file, staged, db)
            rules = (*file.overrides.apply(rules_of(staged)), *written.people, *written.quality)
            done.append(export_suites(db, snapshot, staged, rules, to / file_name(form_id), snapshots))
    return done


def _chosen(workspace: Workspace, forms: Sequence[str]) -> list[str]:
    for form_id in forms:
        workspace.form_file(form_id)
    return list(forms) or sorted(workspace.config.forms)


def _stray(workspace: Workspace) -> list[Path]:
    """Files of rules that no form reads."""
    return sorted(path for path in workspace.validations.glob("*.toml") if path.stem not in workspace.config.forms)


def _nobody(workspace: Workspace, path: Path) -> Problem:
    fix = f"{near(path.stem, workspace.config.forms)} The file is named after the form: <form_id>.toml."
    return ConfigError("CONFIG-057", place(path), f"There is no form {path.stem}, so nobody reads it.", fix).problem


def _checked(workspace: Workspace, form_id: str) -> CheckedRules:
    path = workspace.validations / f"{form_id}.toml"
    try:
        file = read_rules_file(path)
    except ConfigError as error:
        return CheckedRules(form_id, 0, (*error.problems, error.problem))
    with _empty_batch(workspace, form_id) as (db, staged):
        written, wrong = judged_file(file, staged, db)
        rules = (*file.overrides.apply(rules_of(staged)), *written.quality, *written.people)
        wrong += trial(db, staged, rules, place(path))
    return CheckedRules(form_id, len(rules), tuple(error.problem for error in wrong))


def _listed(workspace: Workspace, form_id: str) -> Iterator[Listed]:
    file = read_rules_file(workspace.validations / f"{form_id}.toml")
    with _empty_batch(workspace, form_id) as (db, staged):
        made = rules_of(staged)
        for rule in file.overrides.apply(made):
            yield Listed(form_id, rule, "form", rule.action, _state(rule), "; ".join(rule.undecided))
        for rule in file.overrides.off(made):
            yield Listed(form_id, rule, "form", "off", "off", "")
        written = written_rules(file, staged, db)
        for rule in written.people:
            yield Listed(form_id, rule, "people", rule.action, "compiled", "")
        for rule in written.quality:
            yield Listed(form_id, rule, "quality", rule.action, _state(rule), "; ".join(rule.undecided))


def _state(rule: Rule) -> str:
    """How the rule is judged; in some versions of a form Python may have to, where SQL does in others."""
    if rule.by_python:
        return "Python"
    return "compiled" if rule.query or rule.expectation else "not decidable"


@contextmanager
def _empty_batch(
    workspace: Workspace, form_id: str, *, accepted: bool = True
) -> Iterator[tuple[duckdb.DuckDBPyConnection, Staged]]:
    """A batch of no submissions, staged as a landing stages it, in a database of its own in memory.

    With `accepted`, the tables of accepted answers are there too, as empty.
    """
    forms, media = _versions(workspace, form_id)
    lineage = lineage_of_form(workspace, list(forms.values()))
    manifest = Manifest("rules", form_id, "server", "", _TIME, _TIME, None, _NOTHING, {"": []})
    with duckdb.connect() as db, TemporaryDirectory() as folder:
        db.execute("SET TimeZone = 'UTC'")
        migrate(db, "memory")
        lines = Path(folder, SUBMISSIONS)
        lines.write_bytes(zstandard.compress(b""))
        staged = stage(db, manifest, lines, forms, _standing(workspace, form_id), lineage)
        staged = replace(staged, media=media)
        stage_sources(db, ())
        stage_audit(db, (), staged)
        if accepted:
            prepare_tables(db, staged.tables)
        yield db, staged


def _versions(workspace: Workspace, form_id: str) -> tuple[dict[str, Form], dict[str, Mapping[str, Path]]]:
    """The versions of a form, and the lists and tables that their logic reads, both by version."""
    known = known_versions(workspace.versions, form_id)
    if known:
        return known, {version: media_of(workspace.versions, form) for version, form in known.items()}
    built = own_form(workspace, form_id)
    return {built.form.version: built.form}, {built.form.version: built.media}


def _standing(workspace: Workspace, form_id: str) -> Standing:
    """What the form has in the warehouse: its columns keep their names for good."""
    if not workspace.warehouse.is_file():
        return EMPTY
    with reading(workspace.warehouse) as db:
        check_history(db, workspace.warehouse.name)
        return standing(db, form_id)
