"""The manifest of a batch: what one pull or import brought."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from dialogkit.model.submission import Origin

FORMAT: Final = 1
SUBMISSIONS: Final = "submissions.ndjson.zst"
#: Ends a path of `Manifest.paths` that held rows rather than a text.
LIST: Final = "[]"
#: Attachment of an import that holds the sentence behind each value.
SOURCES: Final = "dialogkit-sources.json"


@dataclass(frozen=True)
class Manifest:
    """What a batch holds.

    Args:
        batch_id: sorts by time.
        server: name of the server in `dialogkit.toml`; empty for `dialogkit import`.
        started_at, finished_at: ISO 8601 in UTC.
        cursor: where the next pull from this server starts; None when another batch of the same pull tells.
        counts: `submissions` (lines), `refused`, `deleted`, `attachments`, and `largest_line` in bytes.
        paths: every answer path in the batch by level (`""` or the path of a repeat), for drift; one that held rows
            ends in `[]`, and stands without it too where another submission has a text there.
        files: name → `{sha256, bytes}` of every other file of the folder.
    """

    batch_id: str
    form_id: str
    origin: Origin
    server: str
    started_at: str
    finished_at: str
    cursor: str | None
    counts: Mapping[str, int]
    paths: Mapping[str, list[str]]
    files: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    format: int = FORMAT

    def to_json(self) -> dict[str, Any]:
        """A plain dict that `Manifest(**…)` reads back."""
        return asdict(self)
