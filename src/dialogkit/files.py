"""Files that are written whole or not at all, and names from outside that are made safe."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Container, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

_PARTIAL: Final = ".partial-"
_LONGEST: Final = 200
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f-\x9f\ud800-\udfff<>:"|?*\\/]')
_EDGES = re.compile(r"^[\s.]+|[\s.]+$")
#: Names of devices on Windows, with any ending.
_DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)


def safe_name(claimed: str) -> str:
    """The base name of a file name from outside, or `""` when nothing usable is left.

    `../../x` becomes `x`; control characters and separators go; at most 200 bytes stay, with the ending.
    """
    base = claimed.replace("\\", "/").rsplit("/", 1)[-1]
    base = _EDGES.sub("", _FORBIDDEN.sub("_", base))
    if _DEVICES.fullmatch(base):
        base = "_" + base
    if len(base.encode()) <= _LONGEST:
        return base
    stem, dot, ending = base.rpartition(".")
    if not stem or len(ending.encode()) > 20:
        stem, dot, ending = base, "", ""
    cut = stem.encode()[: _LONGEST - len((dot + ending).encode())].decode(errors="ignore")
    return _EDGES.sub("", cut) + dot + ending


def free_name(claimed: str, taken: Container[str]) -> str:
    """As `safe_name`, never empty, and with `-2`, `-3`… when its lower case is taken."""
    name = free = safe_name(claimed) or "file"
    stem, dot, ending = name.rpartition(".") if "." in name else (name, "", "")
    number = 1
    while free.lower() in taken:
        number += 1
        free = f"{stem}-{number}{dot}{ending}"
    return free


def sha256_of(path: Path) -> str:
    """Hexadecimal SHA-256 of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def md5_of(path: Path) -> str:
    """Hexadecimal MD5 of a file: the hash by which form servers and phones compare media."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def sync_folder(folder: Path) -> None:
    """Make a rename inside `folder` survive a loss of power."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_whole(path: Path, data: bytes, *, mode: int = 0o644) -> None:
    """Replace `path` by `data` so that a reader, or a kill at any moment, sees the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{_PARTIAL}{secrets.token_hex(4)}-{path.name}"[:250])
    try:
        handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


@contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """A folder to fill; it gets the name `target` only when the block ends well.

    Raises:
        FileExistsError: `target` is there already.
    """
    if target.exists():
        raise FileExistsError(str(target))
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{_PARTIAL}{secrets.token_hex(4)}-{target.name}")
    partial.mkdir()
    try:
        yield partial
        _sync_tree(partial)
        partial.rename(target)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    sync_folder(target.parent)


def sweep(folder: Path) -> None:
    """Take away what a killed run left half written in `folder`. Call it under the lock of that folder only."""
    for leftover in folder.glob(f"{_PARTIAL}*"):
        if leftover.is_dir():
            shutil.rmtree(leftover, ignore_errors=True)
        else:
            with suppress(OSError):
                leftover.unlink()


def _sync_tree(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir():
            sync_folder(path)
        else:
            with path.open("rb") as file:
                os.fsync(file.fileno())
    sync_folder(folder)
