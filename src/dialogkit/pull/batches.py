"""Batch folders: written whole under a temporary name, opened only when every file is what the manifest says."""

from __future__ import annotations

import base64
import errno
import hashlib
import json
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from io import BufferedWriter
from pathlib import Path
from typing import Final
from urllib.parse import quote

import zstandard

from dialogkit.errors import BatchError
from dialogkit.files import free_name, sha256_of, whole_folder
from dialogkit.instance import in_the_open
from dialogkit.model.batch import LIST, SUBMISSIONS, Manifest
from dialogkit.model.consent import refusal
from dialogkit.model.form import Form
from dialogkit.model.server import Received
from dialogkit.model.submission import Answers, Attachment, Origin, Submission
from dialogkit.pull.manifest import AGAIN, MANIFEST, read_manifest, write_manifest

#: A batch has at most so many submissions: a landing takes them in one piece.
LARGEST: Final = 100_000

_RECEIVED: Final = "received/submissions.ndjson.zst"
_BATCH_ID = re.compile(r"\d{8}T\d{12}Z-[0-9a-f]{8}")


@dataclass(frozen=True)
class Batch:
    """A whole batch on disk."""

    folder: Path
    manifest: Manifest

    @property
    def submissions(self) -> Path:
        """The canonical lines."""
        return self.folder / SUBMISSIONS

    def forms(self) -> dict[str, Form]:
        """Every form version that a submission of the batch names, by version."""
        found = {}
        for path in sorted((self.folder / "forms").glob("*.json")):
            form = Form.from_json(json.loads(path.read_text(encoding="utf-8")))
            found[form.version] = form
        return found

    def attachment(self, submission_id: str, name: str) -> Path:
        """Where an attachment lies."""
        return self.folder / "attachments" / folder_name(submission_id) / name


class BatchWriter:
    """Fills one batch folder. Get one from `new_batch`.

    The answers of a submission that must not land (`model.consent`) never reach the disk: only its id and the
    reason do.
    """

    def __init__(self, folder: Path, form_id: str, origin: Origin) -> None:
        self.count = self.refused = self.deleted = self.attachments = 0
        self.cursor: str | None = None
        self._folder, self._form_id, self._origin = folder, form_id, origin
        self._paths: dict[str, set[str]] = {}
        (folder / "received").mkdir()
        (folder / "forms").mkdir()
        self._lines = _Compressed(folder / SUBMISSIONS)
        self._bodies = _Compressed(folder / _RECEIVED)
        self._forms: set[str] = set()

    def add(self, received: Received, form: Form, fetch: Callable[[str], Iterator[bytes]] | None = None) -> None:
        """One submission.

        Args:
            received: what the server or the import gave.
            form: the version that it was made with (the latest known one when that is unknown).
            fetch: gives the bytes of an attachment by name, in pieces.
        """
        self._keep_form(form)
        submission = self._without_refused(received.submission, form)
        if not submission.refused and not submission.deleted_at:
            self._bodies.line(_body(submission.instance_id, received.body))
            if fetch is not None:
                submission = replace(submission, attachments=self._fetch(submission, fetch))
            self._note_paths("", submission.answers)
        line = {"n": self.count, "content": content_hash(submission), **submission.to_json()}
        self._lines.line(line)
        self.count += 1
        self.refused += bool(submission.refused)
        self.deleted += bool(submission.deleted_at)

    def finish(self, batch_id: str, server: str, started_at: str) -> Manifest:
        """Close the files and write the manifest, the last file of the folder."""
        self._lines.close()
        self._bodies.close()
        if not self.count:
            raise _Empty
        manifest = Manifest(
            batch_id=batch_id,
            form_id=self._form_id,
            origin=self._origin,
            server=server,
            started_at=started_at,
            finished_at=now(),
            cursor=self.cursor,
            counts={
                "submissions": self.count,
                "refused": self.refused,
                "deleted": self.deleted,
                "attachments": self.attachments,
                "largest_line": self._lines.largest,
            },
            paths={level: sorted(paths) for level, paths in sorted(self._paths.items())},
            files=_fingerprints(self._folder),
        )
        write_manifest(self._folder, manifest)
        return manifest

    def _without_refused(self, submission: Submission, form: Form) -> Submission:
        reason = submission.refused
        if not reason and not _sealed(form, submission):
            reason = refusal(form, submission.answers, self._origin)
        if reason or submission.deleted_at:
            return replace(submission, refused=reason, answers={}, attachments=())
        return submission

    def _keep_form(self, form: Form) -> None:
        if form.version not in self._forms:
            self._forms.add(form.version)
            path = self._folder / "forms" / f"{folder_name(form.version or 'none')}.json"
            path.write_text(json.dumps(form.to_json(), ensure_ascii=False), encoding="utf-8")

    def _fetch(self, submission: Submission, fetch: Callable[[str], Iterator[bytes]]) -> tuple[Attachment, ...]:
        kept: list[Attachment] = []
        for attachment in submission.attachments:
            name = free_name(attachment.name, {file.name.lower() for file in kept})
            target = self._folder / "attachments" / folder_name(submission.id) / name
            target.parent.mkdir(parents=True, exist_ok=True)
            digest, size = hashlib.sha256(), 0
            with target.open("wb") as file:
                for piece in fetch(attachment.name):
                    file.write(piece)
                    digest.update(piece)
                    size += len(piece)
            kept.append(Attachment(name, size, digest.hexdigest()))
            self.attachments += 1
        return tuple(kept)

    def _note_paths(self, level: str, answers: Answers) -> None:
        seen = self._paths.setdefault(level, set())
        for path, value in answers.items():
            if isinstance(value, str):
                seen.add(path)
            else:
                seen.add(path + LIST)
                for row in value:
                    self._note_paths(path, row)


@contextmanager
def new_batch(folder: Path, form_id: str, origin: Origin, server: str) -> Iterator[BatchWriter]:
    """A batch to fill; it stands in `folder/<form_id>/<batch id>` when the block ends well, else nowhere.

    A block that adds nothing leaves nothing.

    Raises:
        BatchError: the disk is full.
    """
    started_at = now()
    batch_id = _next_id(batches(folder, form_id))
    try:
        with whole_folder(folder / folder_name(form_id) / batch_id) as partial:
            writer = BatchWriter(partial, form_id, origin)
            yield writer
            writer.finish(batch_id, server, started_at)
    except _Empty:
        return
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        raise BatchError(
            "BATCH-007",
            form_id,
            "The disk is full; nothing of this batch was kept.",
            "Free some space, then run the command again: it goes on where it stopped.",
        ) from None


def _next_id(before: list[Path]) -> str:
    """Sorts after every batch of the form, also when the clock has gone back."""
    at = datetime.now(UTC)
    if before:
        last = datetime.strptime(before[-1].name[:21], "%Y%m%dT%H%M%S%f").replace(tzinfo=UTC)
        at = max(at, last + timedelta(microseconds=1))
    return f"{at:%Y%m%dT%H%M%S%f}Z-{secrets.token_hex(4)}"


def batches(folder: Path, form_id: str) -> list[Path]:
    """The whole batches of a form, oldest first."""
    inside = folder / folder_name(form_id)
    return sorted(path for path in inside.glob("*Z-*") if _BATCH_ID.fullmatch(path.name)) if inside.is_dir() else []


def open_batch(folder: Path) -> Batch:
    """A batch, after every file has been compared with the manifest.

    Raises:
        BatchError: a file is missing, changed or not of ours.
    """
    manifest = read_manifest(folder)
    present = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    for name, facts in manifest.files.items():
        path = folder / name
        if name not in present:
            raise BatchError("BATCH-002", folder.name, f"The file {name} is missing.", AGAIN)
        if path.stat().st_size != facts["bytes"] or sha256_of(path) != facts["sha256"]:
            raise BatchError("BATCH-003", folder.name, f"The file {name} is not the one that was written.", AGAIN)
    for name in sorted(present - set(manifest.files) - {MANIFEST}):
        raise BatchError("BATCH-004", folder.name, f"The file {name} does not belong to it.", AGAIN)
    if manifest.batch_id != folder.name:
        raise BatchError("BATCH-004", folder.name, "The folder has another name than its batch.", AGAIN)
    return Batch(folder, manifest)


def folder_name(text: str) -> str:
    """A file name for an id from outside: one to one, and safe on every system."""
    name = quote(text, safe=" ()-_+=,") or "%"
    if name.startswith("."):
        name = "%2E" + name[1:]
    return name if len(name) <= 150 else name[:80] + "%" + hashlib.sha256(text.encode()).hexdigest()


def content_hash(submission: Submission) -> str:
    """Changes when the submission does; the time and the way of its arrival do not count."""
    facts = submission.to_json()
    del facts["submitter"], facts["submitted_at"], facts["signature"]
    return hashlib.sha256(json.dumps(facts, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def now() -> str:
    """The time in UTC, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class _Empty(Exception):  # noqa: N818 - not an error: leaves the block so that the folder is not kept
    pass


class _Compressed:
    """Lines of JSON in one zstd file."""

    def __init__(self, path: Path) -> None:
        self.largest = 0
        self._file: BufferedWriter = path.open("wb")
        self._stream = zstandard.ZstdCompressor(level=3).stream_writer(self._file)

    def line(self, value: Mapping[str, object]) -> None:
        line = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        self.largest = max(self.largest, len(line))
        self._stream.write(line)

    def close(self) -> None:
        self._stream.flush(zstandard.FLUSH_FRAME)
        self._file.close()


def _sealed(form: Form, submission: Submission) -> bool:
    """Whether the answers are in an encrypted file, and none of them stands in the open.

    Nobody can read a refusal in sealed answers yet: they are held at landing, and judged when decrypted.
    """
    return "base64EncryptedKey" in submission.answers and not in_the_open(form, submission.answers)


def _body(instance_id: str, body: bytes) -> dict[str, str]:
    try:
        return {"instance_id": instance_id, "encoding": "utf-8", "body": body.decode()}
    except UnicodeDecodeError:
        return {"instance_id": instance_id, "encoding": "base64", "body": base64.b64encode(body).decode()}


def _fingerprints(folder: Path) -> dict[str, dict[str, object]]:
    return {
        path.relative_to(folder).as_posix(): {"sha256": sha256_of(path), "bytes": path.stat().st_size}
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
