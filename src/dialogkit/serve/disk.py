"""Folders of submissions: written whole and flushed before they get their name, read back at a start."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from dialogkit.files import sweep, sync_folder
from dialogkit.serve.facts import FACTS, FILES, XML, Facts, StoredFile, folder_of, folder_of_form, read_facts
from dialogkit.serve.incoming import Upload

SUBMISSIONS: Final = "submissions"
INCOMING: Final = "incoming"
_DAMAGED: Final = "damaged"


def lay_out(base: Path) -> None:
    """Make the folders; uploads that a killed server left behind go."""
    shutil.rmtree(base / INCOMING, ignore_errors=True)
    for made in (base / SUBMISSIONS, base / INCOMING):
        made.mkdir(parents=True, exist_ok=True, mode=0o700)
    sync_folder(base)


def folder_for(base: Path, form_id: str, instance_id: str) -> Path:
    """Where an edition lies."""
    return base / SUBMISSIONS / folder_of_form(form_id) / folder_of(instance_id)


def place(upload: Upload, facts: Facts, target: Path) -> None:
    """A new edition: everything flushed to the disk, then renamed to `target`."""
    if not target.parent.is_dir():
        target.parent.mkdir(exist_ok=True, mode=0o700)
        sync_folder(target.parent.parent)
    upload.folder.mkdir(exist_ok=True, mode=0o700)
    _write_synced(upload.folder / XML, upload.xml)
    _write_synced(upload.folder / FACTS, facts.to_bytes())
    for name in upload.files:
        _sync_file(upload.folder / FILES / name)
    if upload.files:
        sync_folder(upload.folder / FILES)
    sync_folder(upload.folder)
    upload.folder.rename(target)
    sync_folder(target.parent)


def move_in(upload: Upload, new: Iterable[StoredFile], folder: Path) -> None:
    """More files for an edition that is there. They count only when its facts name them."""
    (folder / FILES).mkdir(exist_ok=True, mode=0o700)
    for file in new:
        _sync_file(upload.folder / FILES / file.name)
        (upload.folder / FILES / file.name).replace(folder / FILES / file.name)
    sync_folder(folder / FILES)
    sync_folder(folder)


def take_away(folder: Path, note: Facts) -> None:
    """Delete the answers and files of a buried submission, in all its editions; the note in `folder` stays."""
    for name in note.buried:
        shutil.rmtree(folder.parent / name, ignore_errors=True)
    (folder / XML).unlink(missing_ok=True)
    shutil.rmtree(folder / FILES, ignore_errors=True)
    sync_folder(folder)
    sync_folder(folder.parent)


def read_all(base: Path) -> tuple[list[Facts], int]:
    """The facts of every edition in the order of their sequence; and how many folders could not be read.

    What a kill left half done is finished or swept; what cannot be read is moved to `damaged/`, not deleted.
    """
    found: list[Facts] = []
    damaged = 0
    for folder in (base / SUBMISSIONS).glob("*/*"):
        try:
            found.append(read_facts(folder))
        except ValueError:
            damaged += 1
            (base / _DAMAGED).mkdir(exist_ok=True, mode=0o700)
            folder.rename(base / _DAMAGED / f"{folder.name}-{secrets.token_hex(4)}")
    buried = {(facts.form_id, name) for facts in found for name in facts.buried}
    kept = [facts for facts in found if (facts.form_id, folder_of(facts.instance_id)) not in buried]
    for facts in kept:
        folder = folder_for(base, facts.form_id, facts.instance_id)
        _sweep(folder, facts)
        if facts.refused:
            take_away(folder, facts)
    return sorted(kept, key=lambda one: one.sequence), damaged


def _sweep(folder: Path, facts: Facts) -> None:
    """Files that came, but whose request was never acknowledged."""
    sweep(folder)
    named = {file.name for file in facts.files}
    for stray in (folder / FILES).glob("*"):
        if stray.name not in named:
            stray.unlink()


def _write_synced(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_file(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
