"""Batch folders on disk: opened only when every file is what the manifest says."""

from __future__ import annotations

import hashlib
import io
import json
import re
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import zstandard

from dialogkit.errors import BatchError
from dialogkit.files import sha256_of
from dialogkit.model.batch import SUBMISSIONS, Manifest
from dialogkit.model.form import Form
from dialogkit.model.submission import Submission
from dialogkit.pull.bodies import BODIES, read_bodies
from dialogkit.pull.manifest import AGAIN, MANIFEST, read_manifest

#: A batch has at most so many submissions: a landing takes them in one piece.
LARGEST: Final = 100_000

#: Where the received bytes lie in a batch of before November 2026, whole and without the lines as context.
_ALONE: Final = "received/submissions.ndjson.zst"

#: Made once: `json.dumps` would make one for each submission.
_IN_ORDER: Final = json.JSONEncoder(ensure_ascii=False, sort_keys=True).encode
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

    def lines(self) -> Iterator[dict[str, Any]]:
        """The canonical lines, one at a time."""
        yield from map(json.loads, unpacked(self.submissions))

    def received(self) -> Iterator[tuple[str, bytes]]:
        """Every submission byte by byte as the server sent it, with its instance id.

        One that was refused or deleted has nothing there.
        """
        if BODIES in self.manifest.files:
            for line, body in read_bodies(self.folder / BODIES, unpacked(self.submissions)):
                yield json.loads(line)["instance_id"], body
            return
        for kept in map(json.loads, unpacked(self.folder / _ALONE)):
            text = kept["body"]
            yield kept["instance_id"], b64decode(text) if kept["encoding"] == "base64" else text.encode()

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


def unpacked(path: Path) -> Iterator[bytes]:
    """The lines of a zstd file, with their line feeds."""
    with path.open("rb") as file, zstandard.ZstdDecompressor().stream_reader(file) as stream:
        yield from io.BufferedReader(stream)


def folder_name(text: str) -> str:
    """A file name for an id from outside: one to one, and safe on every system."""
    name = quote(text, safe=" ()-_+=,") or "%"
    if name.startswith("."):
        name = "%2E" + name[1:]
    return name if len(name) <= 150 else name[:80] + "%" + hashlib.sha256(text.encode()).hexdigest()


def content_hash(submission: Submission) -> str:
    """Changes when the submission does. When and how it arrived does not count, nor do the server's own marks."""
    facts = submission.to_json()
    del facts["submitter"], facts["submitted_at"], facts["signature"]
    for file in facts["attachments"]:
        del file["mark"]
    return hashlib.sha256(_IN_ORDER(facts).encode()).hexdigest()


def now() -> str:
    """The time in UTC, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
