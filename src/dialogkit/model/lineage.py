"""The lineage of a form: which question of one version is which of the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

#: What a version does to a question. `perhaps_renamed` waits for somebody to say whether two are the same.
Fate = Literal["first", "same", "renamed", "moved", "retyped", "recoded", "removed", "perhaps_renamed"]


@dataclass(frozen=True, slots=True)
class Step:
    """What one version of a form did to one question.

    Args:
        version: of the form; `position` is its place among the versions, from 0.
        path: of the question in this version; in the version before for `removed`.
        fate: `retyped` and `recoded` may stand beside `renamed` or `moved` as a step of their own.
        was: the path before, when it was another.
        detail: the types of a retyped question (`text → integer`), the codes that a recoded one lost and got.
        because: how it is known: `path`, `was`, `name`, `concept`, `decision` or `` (nothing to know).
    """

    version: str
    position: int
    path: str
    fate: Fate
    was: str = ""
    detail: str = ""
    because: str = ""


@dataclass(frozen=True)
class Lineage:
    """Every step of every question over all versions, oldest first.

    Args:
        steps: in the order of versions, then of the sheet.
        same: each earlier path of a question → its newest path; only where both stand in the same repeat (or both in
            none), so that their answers can share a column.
    """

    steps: tuple[Step, ...] = ()
    same: Mapping[str, str] = field(default_factory=dict)


NO_LINEAGE: Final = Lineage()
