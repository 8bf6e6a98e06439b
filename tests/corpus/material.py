"""The submissions of the corpus as sets: a form, and what was sent to it, round after round."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Final

from dialogkit import xml
from dialogkit.forms.build import build_form
from dialogkit.forms.versions import keep_version
from dialogkit.instance import read_instance
from dialogkit.model.form import BuiltForm, Form
from dialogkit.model.server import Received
from dialogkit.model.submission import Submission
from dialogkit.pull.batches import Batch, batches, open_batch
from dialogkit.pull.writer import new_batch
from dialogkit.servers.folders.raw import in_utc
from dialogkit.steps.land import land
from dialogkit.warehouse.connect import writing
from dialogkit.workspace import Workspace, open_workspace
from tests.accounting import account
from tests.corpus.xforms import read_xform

CORPUS: Final = Path(__file__).parents[2].parent / "shared" / "corpus" / "submissions"
_NOBODY_KNOWS: Final = "2026-11-20T10:00:00.000Z"


@dataclass(frozen=True)
class Set:
    """Submissions of one form, which lands under the name of the set.

    Args:
        name: of the set, and of its form in the warehouse.
        forms: versions of the form, oldest first; none where nobody has the form.
        received: what was sent, in the order in which it came.
    """

    name: str
    forms: tuple[BuiltForm, ...]
    received: tuple[Received, ...]

    @property
    def rounds(self) -> list[list[Received]]:
        """What was sent, so that no batch has two editions of one submission: each of them lands."""
        rounds: list[list[Received]] = []
        for one in self.received:
            free = 1 + max((n for n, some in enumerate(rounds) if one.submission.id in _ids(some)), default=-1)
            if free == len(rounds):
                rounds.append([])
            rounds[free].append(one)
        return rounds


def _ids(some: Iterable[Received]) -> set[str]:
    return {one.submission.id for one in some}


@dataclass
class Landings:
    """One warehouse with every set, every batch of it accounted for directly after it was landed."""

    workspace: Workspace
    answers: dict[str, int] = field(default_factory=dict)
    submissions: dict[str, int] = field(default_factory=dict)

    def land(self, sets: Sequence[Set]) -> None:
        """Land the sets through the real steps."""
        for one in sets:
            for built in one.forms:
                keep_version(self.workspace.versions, replace(built, form=replace(built.form, form_id=one.name)))
        for number in range(max(len(one.rounds) for one in sets)):
            written = [_write(self.workspace, one, number) for one in sets if number < len(one.rounds)]
            land(self.workspace, [one.manifest.form_id for one in written])
            with writing(self.workspace.warehouse) as db:
                for batch in written:
                    form_id = batch.manifest.form_id
                    self.answers[form_id] = self.answers.get(form_id, 0) + account(db, batch)
        self.submissions |= {one.name: len(_ids(one.received)) for one in sets}


def new_landings(root: Path) -> Landings:
    """An empty workspace."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "dialogkit.toml").write_text('[workspace]\nname = "corpus"\n', encoding="utf-8")
    return Landings(open_workspace(root))


def _write(workspace: Workspace, one: Set, number: int) -> Batch:
    known = {built.form.version: built.form for built in one.forms}
    latest = list(known.values())[-1] if known else _no_form(one.name)
    with new_batch(workspace.batches, one.name, "server", "") as writer:
        for received in one.rounds[number]:
            submission = replace(received.submission, form_id=one.name)
            form = known.get(submission.form_version, latest)
            writer.add(replace(received, submission=submission), replace(form, form_id=one.name))
    return open_batch(batches(workspace.batches, one.name)[-1])


def _no_form(name: str) -> Form:
    return Form(name, "", "", (), "", (), (), {})


@cache
def form_at(path: str) -> BuiltForm | None:
    """The form in a workbook or an XForm of the corpus; None when the XML is a submission."""
    file = CORPUS / path
    return build_form(file) if file.suffix == ".xlsx" else read_xform(file.read_bytes())


def instances(name: str, form: str, files: Sequence[str]) -> Set:
    """A set of instance XML.

    Args:
        name: of the set.
        form: path of the workbook or XForm; empty where nobody has it.
        files: paths or patterns of the instances, in the order in which they came.
    """
    built = form_at(form) if form else None
    found = [path for pattern in files for path in sorted(CORPUS.glob(pattern))]
    read = [received_from(path.read_bytes(), built.form if built else None) for path in found]
    return Set(name, (built,) if built else (), tuple(_with_first_ids(read)))


def received_from(data: bytes, form: Form | None) -> tuple[Received, str]:
    """A submission as a server would give it, and the edition that it replaces."""
    found = read_instance(data, form.repeats if form else ())
    own = found.instance_id or f"uuid:{hashlib.sha256(data).hexdigest()[:32]}"
    submission = Submission(
        id=found.root_id or own,
        instance_id=own,
        form_id=found.form_id,
        form_version=found.form_version,
        submitted_at=in_utc(xml.parse(data).get("submissionDate", "")) or _NOBODY_KNOWS,
        edited=bool(found.deprecated_id),
        answers=found.answers,
    )
    return Received(submission, data), found.deprecated_id


def _with_first_ids(some: Sequence[tuple[Received, str]]) -> list[Received]:
    """An edit keeps the id of the first edition, as every server tells it."""
    first = {one.submission.instance_id: replaced for one, replaced in some}

    def root(edition: str) -> str:
        seen: set[str] = set()
        while first.get(edition) and edition not in seen:
            seen.add(edition)
            edition = first[edition]
        return edition

    return [replace(one, submission=replace(one.submission, id=root(one.submission.id))) for one, _ in some]


def instance_files() -> list[str]:
    """Every instance of the corpus: its XML that is no XForm."""
    paths = sorted(CORPUS.rglob("*.xml"))
    return [path.relative_to(CORPUS).as_posix() for path in paths if not _is_form(path)]


def _is_form(path: Path) -> bool:
    return b"http://www.w3.org/1999/xhtml" in path.read_bytes()[:600]
