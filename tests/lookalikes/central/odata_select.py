"""OData's $select: which parts of a row are wanted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from .definition import Definition, Field
from .problems import Refused

_SYSTEM: Final = frozenset(
    {
        "submissionDate",
        "updatedAt",
        "submitterId",
        "submitterName",
        "attachmentsPresent",
        "attachmentsExpected",
        "status",
        "reviewState",
        "deviceId",
        "edits",
        "formVersion",
        "deletedAt",
    }
)


@dataclass(frozen=True)
class Selection:
    """Wanted paths, as a tree: an empty branch is wanted whole."""

    tree: dict[str, Any]

    @classmethod
    def of_root(cls, text: str, definition: Definition) -> Selection:
        """Raises Refused when a name is not known."""
        made = cls(_tree(text))
        for name in text.split(","):
            first, _, rest = name.strip().partition("/")
            if first == "__id" or (first == "__system" and (not rest or rest in _SYSTEM)):
                continue
            if not _has(definition.root, name.strip().split("/")):
                raise Refused(400.23, f"Could not find a property named '{name.strip()}'", {"property": name.strip()})
        return made

    @classmethod
    def of_repeat(cls, text: str) -> Selection:
        return cls(_tree(text))

    @property
    def system_only(self) -> bool:
        """Whether no answer is wanted, so that no answer need be read."""
        return self.tree.keys() <= {"__id", "__system"}

    def pick(self, row: dict[str, Any]) -> dict[str, Any]:
        return _pick(row, self.tree)


def _tree(text: str) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for name in text.split(","):
        branch = tree
        for step in name.strip().split("/"):
            branch = branch.setdefault(step, {})
    return tree


def _pick(row: dict[str, Any], tree: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _pick(row[name], below) if below and isinstance(row[name], dict) else row[name]
        for name, below in tree.items()
        if name in row
    }


def _has(section: Field, steps: list[str]) -> bool:
    for step in steps:
        below = next((child for child in section.children.values() if child.key == step), None)
        if below is None:
            return False
        section = below
    return True
