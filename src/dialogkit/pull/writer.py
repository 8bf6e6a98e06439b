"""Fills a batch folder under a temporary name; it gets its own name when it is whole."""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Final

import zstandard

from dialogkit.files import free_name, sha256_of, whole_folder
from dialogkit.instance import in_the_open
from dialogkit.model.batch import LIST, SUBMISSIONS, Manifest
from dialogkit.model.consent import refusal
from dialogkit.model.form import Form
from dialogkit.model.server import FindForm, Received
from dialogkit.model.submission import NO_KEY, Answers, Attachment, Origin, Submission
from dialogkit.pull.batches import batches, content_hash, folder_name, now
from dialogkit.pull.bodies import BODIES, Bodies
from dialogkit.pull.disk import disk_for
from dialogkit.pull.manifest import write_manifest

#: Made once: `json.dumps` would make one for each line.
_COMPACT: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
#: What a line repeats of others stands shortly before it. A small window finds that as well as a large one, names it in
#: fewer bits and stays in the processor's cache: a quarter smaller than level 3, and cheaper than level 8 as it comes.
_PACKING: Final = zstandard.ZstdCompressionParameters.from_level(
    8, window_log=19, hash_log=17, chain_log=17, min_match=6
)

#: Puts an attachment at a path and says what is there now; no file and no `sha256` when it cannot be had.
PutFile = Callable[[Attachment, Path], Attachment]
#: Opens a sealed submission whose files are in a folder (see `pull.decrypt.unseal`).
Unseal = Callable[[Submission, Form, Path, bytes], Submission]


@dataclass(frozen=True, slots=True)
class Hooks:
    """What a pull from a server adds to the writing of a batch.

    Args:
        unseal: opens encrypted submissions.
        known: whether a submission of this content hash is here already and need not be written.
        find_form: the form of a version, for one that only opened answers tell.
    """

    unseal: Unseal | None = None
    known: Callable[[Submission, str], bool] | None = None
    find_form: FindForm = lambda _: None


@dataclass(frozen=True, slots=True)
class Written:
    """A submission as it stands in the batch, and the hash of its content."""

    submission: Submission
    content: str


class BatchWriter:
    """Fills one batch folder. Get one from `new_batch`.

    The answers of a submission that must not land (`model.consent`) never reach the disk: only its id and the
    reason do.
    """

    def __init__(self, folder: Path, form_id: str, origin: Origin, hooks: Hooks) -> None:
        self.count = self.refused = self.deleted = self.attachments = 0
        self.batch_id = ""
        self.cursor: str | None = None
        self._folder, self._form_id, self.origin = folder, form_id, origin
        self._unseal, self._known, self._find = hooks.unseal, hooks.known, hooks.find_form
        self._paths: dict[str, set[str]] = {}
        (folder / "received").mkdir()
        (folder / "forms").mkdir()
        self._open = (folder / SUBMISSIONS).open("wb"), (folder / BODIES).open("wb")
        self._lines, self._bodies = _Compressed(self._open[0]), Bodies(self._open[1])
        self._forms: set[str] = set()

    def add(self, received: Received, form: Form, put_file: PutFile | None = None) -> Written | None:
        """One submission.

        Args:
            received: what the server or the import gave.
            form: the version that it was made with (the latest known one when that is unknown).
            put_file: brings its attachments; None when they are not wanted.

        Returns:
            The submission as it was written; None when exactly this is here already.
        """
        self._keep_form(form)
        submission = self._without_refused(received.submission, form)
        if put_file is not None and submission.attachments:
            submission = self._with_files(submission, form, put_file, received.body)
        content = content_hash(submission)
        if self._known is not None and self._known(submission, content):
            shutil.rmtree(self._attachments_of(submission), ignore_errors=True)
            return None
        self.attachments += sum(bool(file.sha256) for file in submission.attachments)
        line = self._lines.add({"n": self.count, "content": content, **submission.to_json()})
        kept = not submission.refused and not submission.deleted_at
        self._bodies.add(line, received.body if kept else None)
        if kept:
            self._note_paths("", submission.answers)
        self.count += 1
        self.refused += bool(submission.refused)
        self.deleted += bool(submission.deleted_at)
        return Written(submission, content)

    def finish(self, batch_id: str, server: str, started_at: str) -> Manifest:
        """Close the files and write the manifest, the last file of the folder."""
        self._lines.end()
        self._bodies.end()
        for file in self._open:
            file.close()
        if not self.count:
            raise _Empty
        manifest = Manifest(
            batch_id=batch_id,
            form_id=self._form_id,
            origin=self.origin,
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

    def give_up(self) -> None:
        """Close the files of a batch that is not kept, also where the disk is full."""
        for file in self._open:
            with suppress(OSError):
                file.close()

    def _without_refused(self, submission: Submission, form: Form) -> Submission:
        if submission.deleted_at:
            # Nothing is left of it that could be judged.
            return replace(submission, answers={}, attachments=())
        reason = submission.refused
        if not reason and not _sealed(form, submission):
            reason = refusal(form, submission.answers, self.origin)
        return replace(submission, refused=reason, answers={}, attachments=()) if reason else submission

    def _keep_form(self, form: Form) -> None:
        if form.version not in self._forms:
            self._forms.add(form.version)
            path = self._folder / "forms" / f"{folder_name(form.version or 'none')}.json"
            path.write_text(json.dumps(form.to_json(), ensure_ascii=False), encoding="utf-8")

    def _with_files(self, submission: Submission, form: Form, put_file: PutFile, body: bytes) -> Submission:
        folder = self._attachments_of(submission)
        kept: list[Attachment] = []
        for attachment in submission.attachments:
            name = free_name(attachment.name, {file.name.lower() for file in kept})
            folder.mkdir(parents=True, exist_ok=True)
            kept.append(replace(put_file(attachment, folder / name), name=name))
        submission = replace(submission, attachments=tuple(kept))
        if self._unseal is not None and _sealed(form, submission):
            # Only now can anybody read whether the person agreed.
            opened = self._unseal(submission, form, folder, body)
            if opened.sealed == NO_KEY and submission.sealed:
                # The server has tried too, and knows better why it could not.
                opened = submission
            # The version that the person saw stands in the opened answers: only by it can their consent be read.
            form = self._find(opened.form_version) or form
            self._keep_form(form)
            submission = self._without_refused(opened, form)
        if submission.refused:
            shutil.rmtree(folder, ignore_errors=True)
        return submission

    def _attachments_of(self, submission: Submission) -> Path:
        return self._folder / "attachments" / folder_name(submission.id)

    def _note_paths(self, level: str, answers: Answers) -> None:
        seen = self._paths.setdefault(level, set())
        for path, value in answers.items():
            if isinstance(value, str):
                # A key that ends like our mark is marked once more, so that it is not taken for rows.
                seen.add(path + LIST if path.endswith(LIST) else path)
            else:
                seen.add(path + LIST)
                for row in value:
                    self._note_paths(path, row)


@contextmanager
def new_batch(
    folder: Path, form_id: str, origin: Origin, server: str, hooks: Hooks | None = None
) -> Iterator[BatchWriter]:
    """A batch to fill; it stands in `folder/<form_id>/<batch id>` when the block ends well, else nowhere.

    A block that adds nothing leaves nothing.

    Args:
        folder: of all batches.
        form_id: the form.
        origin: how the submissions came.
        server: name of the server in `dialogkit.toml`, or `""`.
        hooks: what a pull from a server adds.

    Raises:
        BatchError: the disk is full.
    """
    started_at = now()
    batch_id = _next_id(batches(folder, form_id))
    try:
        with disk_for(form_id), whole_folder(folder / folder_name(form_id) / batch_id) as partial:
            writer = BatchWriter(partial, form_id, origin, hooks or Hooks())
            writer.batch_id = batch_id
            try:
                yield writer
                writer.finish(batch_id, server, started_at)
            finally:
                writer.give_up()
    except _Empty:
        return


def _next_id(before: list[Path]) -> str:
    """Sorts after every batch of the form, also when the clock has gone back."""
    at = datetime.now(UTC)
    if before:
        last = datetime.strptime(before[-1].name[:21], "%Y%m%dT%H%M%S%f").replace(tzinfo=UTC)
        at = max(at, last + timedelta(microseconds=1))
    return f"{at:%Y%m%dT%H%M%S%f}Z-{secrets.token_hex(4)}"


class _Empty(Exception):  # noqa: N818 - not an error: leaves the block so that the folder is not kept
    pass


class _Compressed:
    """Lines of JSON in one zstd file."""

    def __init__(self, file: BinaryIO) -> None:
        self.largest = 0
        self._stream = zstandard.ZstdCompressor(compression_params=_PACKING).stream_writer(file)

    def add(self, value: Mapping[str, object]) -> bytes:
        """One line; gives it as it was written."""
        line = _COMPACT(value).encode() + b"\n"
        self.largest = max(self.largest, len(line))
        self._stream.write(line)
        return line

    def end(self) -> None:
        self._stream.flush(zstandard.FLUSH_FRAME)


def _sealed(form: Form, submission: Submission) -> bool:
    """Whether the answers are in an encrypted file, and none of them stands in the open.

    Nobody can read a refusal in sealed answers yet: they are held at landing, and judged when decrypted.
    """
    return "base64EncryptedKey" in submission.answers and not in_the_open(form, submission.answers)


def _fingerprints(folder: Path) -> dict[str, dict[str, object]]:
    return {
        path.relative_to(folder).as_posix(): {"sha256": sha256_of(path), "bytes": path.stat().st_size}
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
