"""Verify: whether the files of a release are those that were published."""

from __future__ import annotations

from pathlib import Path

from dialogkit.problem import Problem
from dialogkit.publish import verify as release


def verify(folder: Path) -> list[Problem]:
    """What does not hold in the release of this folder; nothing when all is well.

    Raises:
        ReleaseRefused: the folder is not a release.
    """
    return release.verify(folder)
