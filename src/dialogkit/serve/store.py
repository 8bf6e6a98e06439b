"""The submissions of the embedded server: which one may be kept, merged, corrected or taken away."""

from __future__ import annotations

import hashlib
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from dialogkit.errors import ServerRefused
from dialogkit.files import write_whole
from dialogkit.serve import disk
from dialogkit.serve.declined import Declined
from dialogkit.serve.facts import FACTS, FILES, XML, Facts, StoredFile, folder_of, read_facts
from dialogkit.serve.incoming import Upload
from dialogkit.serve.index import Index
from dialogkit.serve.refused import Refused

_GONE: Final = "This submission was deleted at the wish of the person. Nothing was kept."


@dataclass(frozen=True, slots=True)
class Arrival:
    """What an upload says of itself, and the key that it came by."""

    form_id: str
    form_version: str
    instance_id: str
    deprecated_id: str
    role: str
    label: str


class Store:
    """The submissions under one folder. One process at a time has it; within it, any number of threads.

    The folders are the only truth: the index is read from them at every start. `damaged` says how many of them
    could not be read then.

    Args:
        base: `<workspace>/server`.

    Raises:
        ServerRefused: SERVER-024, another process has it.
    """

    def __init__(self, base: Path) -> None:
        base.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = FileLock(base / ".lock", mode=0o600, thread_local=False)
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            raise ServerRefused(
                "SERVER-024",
                "server",
                "Another dialogkit is serving this workspace.",
                "Stop that one first (Ctrl-C in its window), or use it as it is.",
            ) from None
        self._base = base
        self.index = Index()
        self.refused = Refused(base / "refused.json")
        disk.lay_out(base)
        found, self.damaged = disk.read_all(base)
        # Twice: an edition is marked as replaced by its correction, which may stand before it in this order.
        for facts in (*found, *found):
            self.index.put(facts)

    def close(self) -> None:
        """Give the folder back."""
        self._lock.release()

    @contextmanager
    def room(self) -> Iterator[Path]:
        """The name of a folder for an upload; what is left in it afterwards is taken away."""
        folder = self._base / disk.INCOMING / secrets.token_hex(12)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def keep(self, upload: Upload, arrival: Arrival) -> Facts:
        """Make a submission safe on disk; when this returns, a loss of power does not lose it.

        The same submission again is no fault: files that are not there yet are added.

        Raises:
            Declined: 201 the person had it deleted; 404 the edition that it corrects is not here; 409 that is not
                the current one, or the same instanceID is here with other content.
        """
        with self.index.holding(arrival.form_id, arrival.instance_id, arrival.deprecated_id):
            if self.index.buried(arrival.form_id, arrival.instance_id):
                raise Declined(201, _GONE)
            if self.index.get(arrival.form_id, arrival.instance_id):
                facts = self._merge(upload, self.facts(arrival.form_id, arrival.instance_id))
            else:
                facts = self._place(upload, arrival)
        self.refused.forget(arrival.form_id, arrival.instance_id)
        return facts

    def bury(self, arrival: Arrival, reason: str) -> bool:
        """Take away every edition of a submission, because its latest one may not be kept.

        A note without answers stays in the place of the current edition, so that a pull hears of it.

        Returns:
            Whether there was such a submission.
        """
        form_id = arrival.form_id
        with self.index.holding(form_id, arrival.instance_id, arrival.deprecated_id):
            known = self.index.get(form_id, arrival.instance_id) or self.index.get(form_id, arrival.deprecated_id)
            if known is None:
                return self.index.buried(form_id, arrival.instance_id)
            editions = self.index.editions(form_id, known.root)
            facts = self.facts(form_id, self.index.current(form_id, editions))
            if facts.role == "staff" and arrival.role != "staff":
                raise Declined(403, "That submission was sent by staff. This key cannot take it away.")
            known_here = {folder_of(facts.instance_id), *facts.buried}
            if not facts.refused or folder_of(arrival.instance_id) not in known_here:
                gone = {folder_of(one) for one in (*editions, arrival.instance_id)} - {folder_of(facts.instance_id)}
                self._leave_note(facts, reason, gone)
                for instance_id in editions:
                    if instance_id != facts.instance_id:
                        self.index.drop(form_id, instance_id)
        return True

    def facts(self, form_id: str, instance_id: str) -> Facts:
        """The facts of a stored edition.

        Raises:
            Declined: 404, it is not here.
        """
        if self.index.get(form_id, instance_id) is None:
            raise Declined(404, "There is no such submission here.")
        return read_facts(disk.folder_for(self._base, form_id, instance_id))

    def xml(self, facts: Facts) -> bytes:
        """The XML as received."""
        return (self._folder(facts) / XML).read_bytes()

    def file(self, facts: Facts, name: str) -> Path | None:
        """Where an attachment lies; None when the submission has none of this name."""
        known = any(file.name == name for file in facts.files)
        return self._folder(facts) / FILES / name if known else None

    def _place(self, upload: Upload, arrival: Arrival) -> Facts:
        above = self._current(arrival.form_id, arrival.deprecated_id, arrival.role) if arrival.deprecated_id else None
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        with self.index.sequence() as number:
            facts = Facts(
                instance_id=arrival.instance_id,
                submission_id=above.submission_id if above else arrival.instance_id,
                deprecated_id=arrival.deprecated_id,
                form_id=arrival.form_id,
                form_version=arrival.form_version,
                role=above.role if above else arrival.role,
                label=arrival.label,
                submitted_at=above.submitted_at if above else now,
                received_at=now,
                sequence=number,
                complete=not upload.incomplete,
                sha256=hashlib.sha256(upload.xml).hexdigest(),
                files=tuple(upload.files.values()),
            )
            disk.place(upload, facts, self._folder(facts))
            self.index.put(facts)
        return facts

    def _merge(self, upload: Upload, known: Facts) -> Facts:
        """The same submission again: perhaps with the next files of a split one, perhaps a second try."""
        if known.refused:
            raise Declined(201, _GONE)
        if hashlib.sha256(upload.xml).hexdigest() != known.sha256:
            raise Declined(409, "Another submission with the same instanceID is here already. This one was not kept.")
        new = _new_files(upload, known)
        complete = known.complete or not upload.incomplete
        if not new and complete == known.complete:
            return known
        if complete and not known.complete and known.deprecated_id:
            self._current(known.form_id, known.deprecated_id, known.role)
        if new:
            disk.move_in(upload, new, self._folder(known))
        with self.index.sequence() as number:
            facts = replace(known, files=(*known.files, *new), complete=complete, sequence=number)
            write_whole(self._folder(known) / FACTS, facts.to_bytes())
            self.index.put(facts)
        return facts

    def _leave_note(self, facts: Facts, reason: str, gone: set[str]) -> None:
        with self.index.sequence() as number:
            buried = tuple(sorted(gone | set(facts.buried)))
            note = replace(facts, sequence=number, complete=True, sha256="", files=(), refused=reason, buried=buried)
            write_whole(self._folder(facts) / FACTS, note.to_bytes())
            disk.take_away(self._folder(facts), note)
            self.index.put(note)

    def _current(self, form_id: str, deprecated_id: str, role: str) -> Facts:
        """The edition that a correction names, when it may be corrected."""
        entry = self.index.get(form_id, deprecated_id)
        if self.index.buried(form_id, deprecated_id) or (entry and entry.refused):
            raise Declined(409, "The submission that this one corrects was deleted. This one was not kept.")
        if entry is None:
            raise Declined(404, "The submission that this one corrects is not here. Send that one first.")
        if entry.replaced:
            raise Declined(409, "The submission that this one corrects was corrected by somebody else since.")
        if not entry.complete:
            raise Declined(409, "The submission that this one corrects is not complete yet. Send that one first.")
        facts = self.facts(form_id, deprecated_id)
        if facts.role == "staff" and role != "staff":
            raise Declined(403, "The submission that this one corrects was sent by staff. This key cannot change it.")
        return facts

    def _folder(self, facts: Facts) -> Path:
        return disk.folder_for(self._base, facts.form_id, facts.instance_id)


def _new_files(upload: Upload, known: Facts) -> list[StoredFile]:
    """The files that are not there yet.

    Raises:
        Declined: 409, one of that name but with other content is there.
    """
    have = {file.name: file.sha256 for file in known.files}
    for file in upload.files.values():
        if have.get(file.name, file.sha256) != file.sha256:
            raise Declined(409, "Another file of the same name belongs to this submission already.")
    return [file for file in upload.files.values() if file.name not in have]
