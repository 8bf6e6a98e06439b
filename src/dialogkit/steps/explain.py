"""Explain: the whole story of one submission, from the warehouse, the batches that wait, and the releases."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import duckdb
import zstandard

from dialogkit.errors import BatchError, WarehouseError
from dialogkit.model.batch import SUBMISSIONS
from dialogkit.publish.release import MANIFEST
from dialogkit.pull.batches import batches, unpacked
from dialogkit.pull.manifest import AGAIN, forms_with_batches, read_manifest
from dialogkit.warehouse.connect import reading
from dialogkit.warehouse.explain import Story, Version, tell
from dialogkit.warehouse.find import Found, begins_so, find
from dialogkit.warehouse.history import check_history
from dialogkit.workspace import Workspace

_SNAPSHOT = re.compile(r"(\d{8}T\d{12})Z\.duckdb")


@dataclass(frozen=True, slots=True)
class Waiting:
    """A version of a submission in a batch that was not landed yet."""

    form_id: str
    submission_id: str
    batch_id: str
    server: str
    at: str


@dataclass(frozen=True, slots=True)
class InRelease:
    """Whether a release of this workspace holds the record of a submission.

    Releases carry no ids and nothing that leads back to one; this is told by the snapshot that a release was made of.

    Args:
        held: `yes` and `no` where that snapshot is still here; otherwise `perhaps` (it was accepted then) or `no`.
    """

    name: str
    date: str
    held: Literal["yes", "no", "perhaps"]


@dataclass(frozen=True)
class Explained:
    """A submission: its story (None before its first landing), what waits, and the releases."""

    form_id: str
    submission_id: str
    story: Story | None
    waiting: tuple[Waiting, ...] = ()
    releases: tuple[InRelease, ...] = ()


def explain(workspace: Workspace, begins: str) -> list[Explained]:
    """The story of the submission that is meant; of several only where forms share one id.

    Batches that wait are read; those that were landed are not.

    Args:
        workspace: where.
        begins: a whole id or its beginning, with or without `uuid:`.

    Raises:
        WarehouseError: WAREHOUSE-040, none or more than one begins so; or the warehouse is open elsewhere.
        BatchError: a batch that waits cannot be read.
    """
    found: tuple[Found, ...] = ()
    stories: dict[Found, Story] = {}
    landed: set[str] = set()
    if workspace.warehouse.is_file():
        with reading(workspace.warehouse) as db:
            check_history(db, workspace.warehouse.name)
            landed = {batch for (batch,) in db.execute("SELECT batch_id FROM ops.runs").fetchall()}
            found = find(db, begins)
            if len({one.submission_id for one in found}) == 1:
                stories = {one: tell(db, one) for one in found}
    waiting = tuple(_waiting(workspace, begins, landed))
    chosen = _chosen(begins, {*found, *(Found(one.form_id, one.submission_id) for one in waiting)})
    return [
        Explained(
            one.form_id,
            one.submission_id,
            story=stories.get(one),
            waiting=tuple(wait for wait in waiting if Found(wait.form_id, wait.submission_id) == one),
            releases=tuple(_releases(workspace, one, stories[one].versions)) if one in stories else (),
        )
        for one in chosen
    ]


def _chosen(begins: str, found: set[Found]) -> list[Found]:
    whole = {one for one in found if one.submission_id == begins}
    chosen = sorted(whole or found, key=lambda one: (one.form_id, one.submission_id))
    if len({one.submission_id for one in chosen}) == 1:
        return chosen
    many = bool(chosen) or "uuid:".startswith(begins)
    raise WarehouseError(
        "WAREHOUSE-040",
        f"submission {begins}",
        "More than one submission begins so." if many else "No submission of this id has come.",
        "Give the whole id." if many else "What is on the server but not here yet comes with: dialogkit run",
    )


def _waiting(workspace: Workspace, begins: str, landed: set[str]) -> Iterator[Waiting]:
    for form_id in sorted(forms_with_batches(workspace.batches)):
        for path in batches(workspace.batches, form_id):
            if path.name in landed:
                continue
            manifest = read_manifest(path)
            for submission_id in _ids(path / SUBMISSIONS, begins, manifest.counts["submissions"]):
                yield Waiting(form_id, submission_id, path.name, manifest.server, manifest.started_at)


def _ids(lines: Path, begins: str, count: int) -> list[str]:
    """Ids of a batch that begin so, each once. Only lines that have the text in them are taken apart."""
    mark = json.dumps(begins.removeprefix("uuid:"), ensure_ascii=False)[1:-1]
    found: dict[str, None] = {}
    read = 0
    try:
        for line in map(bytes.decode, unpacked(lines)):
            read += 1
            if mark in line and begins_so(submission_id := json.loads(line)["id"], begins):
                found[submission_id] = None
    except (OSError, ValueError, KeyError, zstandard.ZstdError):
        read = -1
    if read != count:  # one that was cut ends like a whole one
        message = f"The file {lines.name} is not the one that was written."
        raise BatchError("BATCH-003", lines.parent.name, message, AGAIN)
    return list(found)


def _releases(workspace: Workspace, one: Found, versions: tuple[Version, ...]) -> Iterator[InRelease]:
    for path in sorted(workspace.releases.glob(f"[!.]*/{MANIFEST}")):
        facts = _facts(path)
        if facts is None or one.form_id not in facts["forms"]:
            continue
        made = datetime.strptime(facts["stamp"], "%Y%m%dT%H%M%S%f").replace(tzinfo=UTC)
        held: Literal["yes", "no", "perhaps"] = "perhaps" if _accepted_at(versions, made) else "no"
        snapshot = workspace.snapshots / f"{facts['stamp']}Z.duckdb"
        if snapshot.is_file() and (published := _published(snapshot, one)) is not None:
            held = "yes" if published else "no"
        yield InRelease(path.parent.name, facts["date"], held)


def _facts(path: Path) -> dict[str, Any] | None:
    """What a release says of itself; None for a folder that is something else."""
    try:
        manifest = json.loads(path.read_bytes())
        stamp = _SNAPSHOT.fullmatch(manifest["snapshot"]["name"])
        forms = [str(form["form_id"]) for form in manifest["forms"]]
        return {"stamp": stamp[1], "date": str(manifest["date"]), "forms": forms} if stamp else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _accepted_at(versions: tuple[Version, ...], at: datetime) -> bool:
    """Whether a version was accepted then, and had been loaded."""
    return any(
        one.state == "accepted"
        and max(one.since, one.landed_at or one.since) <= at
        and (one.until is None or at < one.until)
        for one in versions
    )


def _published(snapshot: Path, one: Found) -> bool | None:
    """Whether a release of this snapshot holds the record; None when the snapshot cannot tell."""
    query = "SELECT 1 FROM concepts.records WHERE form_id = ? AND submission_id = ? AND published_record"
    try:
        with reading(snapshot) as db:
            return db.execute(query, [one.form_id, one.submission_id]).fetchone() is not None
    except (duckdb.Error, WarehouseError):
        return None
