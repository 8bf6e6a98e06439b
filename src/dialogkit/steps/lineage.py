"""Lineage: what the versions of a form did to its questions, with what people decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dialogkit.errors import FormError
from dialogkit.forms.decided import Decided, read_decided, refuse_contradictions, refuse_unknown, write_decided
from dialogkit.forms.lineage import lineage_of
from dialogkit.forms.lineage_ways import ways_of
from dialogkit.forms.versions import file_name, known_versions
from dialogkit.model.form import Form
from dialogkit.model.lineage import Lineage
from dialogkit.warehouse.connect import reading
from dialogkit.warehouse.lineage import answered_paths
from dialogkit.workspace import Workspace

Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Seen:
    """The lineage of a form over the versions that are kept here.

    Args:
        lineage: of the form.
        versions: oldest first.
        labels: of each path, as the newest version that has it shows it in its own first language.
        without_effect: decisions, earlier path first, that cannot hold over these versions, and so do nothing.
    """

    lineage: Lineage
    versions: tuple[str, ...]
    labels: Mapping[str, str]
    without_effect: tuple[tuple[str, str], ...]


def lineage(workspace: Workspace, form_id: str) -> Seen:
    """The lineage of a form over the versions that are kept here.

    Raises:
        ConfigError: CONFIG-005, there is no such form.
        FormError: FORM-051 (a kept version is damaged), FORM-084 (no version is kept yet), or as `read_decided` and
            `refuse_unknown` (FORM-080 to FORM-083).
        WarehouseError: a path is of no version, and the warehouse, which may know it, is open elsewhere.
    """
    versions = _versions(workspace, form_id)
    path = decisions_file(workspace, form_id)
    decided = read_decided(path)
    _refuse_unknown(workspace, versions, path.name, decided)
    found = lineage_of(versions, decided)
    return Seen(
        found,
        tuple(form.version for form in versions),
        _labels(versions),
        tuple((old, new) for old, new in decided.same.items() if not _has_effect(found, old, new)),
    )


def lineage_of_form(workspace: Workspace, versions: Sequence[Form]) -> Lineage:
    """The lineage over these versions (oldest first) with what people decided on the form of the newest.

    Paths that none of them has are no error here: the file comes with the workspace to machines that have not seen
    every version yet. `lineage` is strict.

    Raises:
        FormError: as `read_decided`.
    """
    return lineage_of(versions, read_decided(decisions_file(workspace, versions[-1].form_id)))


def decide(workspace: Workspace, form_id: str, same: Pairs, different: Pairs) -> Path:
    """Write decisions into the file of the form, and say where it is.

    Raises:
        ConfigError: CONFIG-005, there is no such form.
        FormError: as `lineage`, or FORM-085: two that stand in one version cannot be the same. Nothing is written then.
        WarehouseError: as `lineage`.
    """
    versions = _versions(workspace, form_id)
    path = decisions_file(workspace, form_id)
    decided = read_decided(path)
    for old, new in same:
        decided = decided.with_same(old, new)
    for old, new in different:
        decided = decided.with_different(old, new)
    _refuse_unknown(workspace, versions, path.name, decided)
    refuse_contradictions(path.name, decided)
    found = lineage_of(versions, decided)
    for old, new in same:
        _refuse_without_effect(found, path.name, old, new)
    write_decided(path, decided)
    return path


def decisions_file(workspace: Workspace, form_id: str) -> Path:
    """Where the decisions on a form stand: beside its workbook, under version control."""
    return workspace.root / "forms" / f"{file_name(form_id)}.lineage.toml"


def _labels(versions: Sequence[Form]) -> dict[str, str]:
    labels: dict[str, str] = {}
    for form in versions:
        for question in form.questions:
            own = question.labels.get(form.default_language) or next(iter(question.labels.values()), "")
            labels[question.path] = own
    return labels


def _versions(workspace: Workspace, form_id: str) -> list[Form]:
    versions = list(known_versions(workspace.versions, form_id).values())
    if not versions:
        workspace.form_file(form_id)
        fix = "dialogkit serve, deploy or pull keeps the version that people answer; then ask again."
        raise FormError("FORM-084", form_id, "No version of the form is kept here yet.", fix)
    return versions


def _refuse_unknown(workspace: Workspace, versions: Sequence[Form], where: str, decided: Decided) -> None:
    """Decisions on paths of no version; phones also send what no version here asks, and the warehouse knows that."""
    known = dict.fromkeys(path for form in reversed(versions) for path in form.by_path)
    if not known.keys() >= set(decided.paths) and workspace.warehouse.is_file():
        with reading(workspace.warehouse) as db:
            known |= dict.fromkeys(answered_paths(db, versions[-1].form_id))
    refuse_unknown(where, decided, known)


def _has_effect(found: Lineage, old: str, new: str) -> bool:
    if found.same.get(old) == found.same.get(new, new):
        return True
    ways = ({step.path for step in way.steps} | {step.was for step in way.steps} for way in ways_of(found))
    return any({old, new} <= paths for paths in ways)


def _refuse_without_effect(found: Lineage, where: str, old: str, new: str) -> None:
    if _has_effect(found, old, new):
        return
    message = f"{old} and {new} cannot be the same question."
    fix = "Name the earlier path first. Two that stand in one version, or whose repeats differ, stay two."
    raise FormError("FORM-085", where, message, fix)
