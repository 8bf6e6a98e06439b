"""The steps of a lineage put together again: the way of each question through the versions."""

from __future__ import annotations

from dataclasses import dataclass

from dialogkit.model.lineage import Lineage, Step


@dataclass(frozen=True)
class Way:
    """One question over all versions.

    Args:
        steps: oldest first; a version may have several (renamed and retyped).
    """

    steps: tuple[Step, ...]

    @property
    def changed(self) -> bool:
        """Whether a version did something to it, or something of it is worth a word."""
        return any(step.fate not in ("first", "same") or step.detail for step in self.steps)


def ways_of(lineage: Lineage) -> tuple[Way, ...]:
    """Every question with its steps, in the order in which questions came; open questions are left out."""
    ways: list[list[Step]] = []
    at: dict[str, list[Step]] = {}
    before: dict[str, list[Step]] = {}
    position = -1
    for step in lineage.steps:
        if step.position != position:
            position, before = step.position, dict(at)
        if step.fate == "perhaps_renamed":
            continue
        if step.fate == "first":
            ways.append([])
            at[step.path] = ways[-1]
        elif step.was:
            at[step.path] = before[step.was]
            if at.get(step.was) is before[step.was]:
                del at[step.was]
        # A question that goes leaves its path to another only in a later version.
        (before if step.fate == "removed" else at)[step.path].append(step)
    return tuple(Way(tuple(steps)) for steps in ways)


def open_questions(lineage: Lineage) -> tuple[Step, ...]:
    """What somebody has to say."""
    return tuple(step for step in lineage.steps if step.fate == "perhaps_renamed")
