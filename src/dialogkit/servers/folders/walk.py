"""Looks through a folder: bounded, and never out of it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from dialogkit.errors import NotOnServer, UnexpectedReply

MAX_DEPTH: Final = 16
MAX_FILES: Final = 1_000_000


def walk(server: str, root: Path) -> dict[Path, list[Path]]:
    """Every folder below `root`, and itself, with its files, in the order of names. Hidden ones are left out.

    Raises:
        NotOnServer: SERVER-100, there is no such folder, or a part of it cannot be read.
        UnexpectedReply: SERVER-101, something in it is a link; SERVER-102, too many files, or too deep.
    """
    found: dict[Path, list[Path]] = {}
    waiting, files = [(root, 0)], 0
    while waiting:
        folder, depth = waiting.pop()
        entries = _entries(server, root, folder)
        found[folder] = [Path(entry.path) for entry in entries if entry.is_file(follow_symlinks=False)]
        below = [Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False)]
        waiting += [(path, depth + 1) for path in reversed(below)]
        files += len(found[folder])
        if files > MAX_FILES or (below and depth >= MAX_DEPTH):
            raise UnexpectedReply(
                "SERVER-102",
                server,
                f"The folder has more than {MAX_FILES} files, or is deeper than {MAX_DEPTH} levels.",
                "Name the folder of the exports themselves in dialogkit.toml, not one far above it.",
            )
    return found


def _entries(server: str, root: Path, folder: Path) -> list[os.DirEntry[str]]:
    where = f"{server}, {folder.relative_to(root).as_posix()}"
    try:
        with os.scandir(folder) as scanned:
            entries = sorted((entry for entry in scanned if not _hidden(entry.name)), key=lambda entry: entry.name)
    except OSError as error:
        raise NotOnServer(
            "SERVER-100",
            where,
            f"The folder cannot be read ({error.strerror}).",
            "Check `path` of this server in dialogkit.toml, and that the disk is there. Nothing was changed.",
        ) from None
    if any(entry.is_symlink() for entry in entries):
        raise UnexpectedReply(
            "SERVER-101",
            where,
            "The folder holds a link; links are not followed.",
            "Put the file or folder itself there, or take the link away.",
        )
    return entries


def _hidden(name: str) -> bool:
    """Also the remains of archives from a Mac and of a workbook that is open."""
    return name.startswith((".", "~$")) or name in ("__MACOSX", "Thumbs.db", "desktop.ini")


def by_folder_name(folders: Mapping[Path, Sequence[Path]]) -> dict[str, dict[str, Path]]:
    """Name of a folder → its files by name; the first of two folders of one name."""
    found: dict[str, dict[str, Path]] = {}
    for folder, files in folders.items():
        found.setdefault(folder.name, {file.name: file for file in files})
    return found
