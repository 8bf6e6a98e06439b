"""Checks a release against its checksums."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import Final

from dialogkit.errors import ReleaseRefused
from dialogkit.files import sha256_of
from dialogkit.problem import Problem

_LINE: Final = re.compile(r"([0-9a-f]{64})  (.+)")
_LIST: Final = "SHA256SUMS"


def verify(folder: Path) -> list[Problem]:
    """What does not hold in a release: files that changed, are missing, or were added.

    Raises:
        ReleaseRefused: RELEASE-008, the folder holds no list of checksums, or it cannot be read.
    """
    folder = folder.resolve()
    wanted = _read(folder)
    present = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - {_LIST}
    problems = [_missing(name) for name in sorted(set(wanted) - present)]
    problems += [_changed(name) for name in sorted(set(wanted) & present) if sha256_of(folder / name) != wanted[name]]
    return problems + [_added(name) for name in sorted(present - set(wanted))]


def _read(folder: Path) -> dict[str, str]:
    try:
        lines = (folder / _LIST).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise _no_release(folder) from None
    found = [_LINE.fullmatch(line) for line in lines]
    wanted = {match.group(2): match.group(1) for match in found if match}
    outside = any(PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts for name in wanted)
    if not wanted or len(wanted) < len(lines) or outside:
        raise _no_release(folder)
    return wanted


def _no_release(folder: Path) -> ReleaseRefused:
    return ReleaseRefused(
        "RELEASE-008",
        folder.name,
        f"The folder has no readable list of checksums ({_LIST}), so it is not a release.",
        "Name the folder of a release, such as releases/2026-01-31-1",
    )


def _missing(name: str) -> Problem:
    return Problem("RELEASE-009", "error", name, "The file is missing.", "Get the release again from where it came.")


def _changed(name: str) -> Problem:
    return Problem(
        "RELEASE-010",
        "error",
        name,
        "The file is not what was published: its checksum differs.",
        "Get the release again from where it came; work on a copy.",
    )


def _added(name: str) -> Problem:
    return Problem(
        "RELEASE-011",
        "error",
        name,
        "The file is not part of the release.",
        "Move it out of the folder of the release.",
    )
