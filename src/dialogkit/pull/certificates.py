"""What each pull proved: a line a pull, beside the batches of a form. The last good line holds the cursor."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from dialogkit.problem import Problem
from dialogkit.pull.batches import folder_name

_FILE: Final = "certificates.ndjson"
#: Of the time that a server remembers deletions: so much may pass without a word.
_CALM: Final = 0.8


@dataclass(frozen=True, slots=True)
class Certificate:
    """A comparison of a server with what is here, at the end of a pull.

    Args:
        form_id, server: what was compared.
        started_at, finished_at: ISO 8601, UTC.
        server_count: submissions that the server listed; -1 when it cannot tell.
        local_count: submissions of this server that are here and not deleted.
        only_here: ids that the server did not list.
        only_there: ids that it listed and that are not here: gone again in between, or not readable.
        unreadable: those of `only_there` that came and could not be read.
        files_missing: submissions that wait for attachments: not sent yet by the phone, listed and not there, or not
            asked for.
        cursor: where the next pull starts.
    """

    form_id: str
    server: str
    started_at: str
    finished_at: str
    server_count: int
    local_count: int
    only_here: Sequence[str] = ()
    only_there: Sequence[str] = ()
    unreadable: Sequence[str] = ()
    files_missing: int = 0
    cursor: str = ""

    @property
    def equal(self) -> bool:
        """Whether server and workspace had the same submissions."""
        return not self.only_here and not self.only_there and self.server_count in (-1, self.local_count)


def write_certificate(folder: Path, certificate: Certificate) -> None:
    """Add one; safe against a stop at any moment: half a line is never read."""
    path = folder / folder_name(certificate.form_id) / _FILE
    with path.open("ab") as file:
        file.write(b"\n" + json.dumps(asdict(certificate), ensure_ascii=False).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def certificates(folder: Path, form_id: str) -> list[Certificate]:
    """All of a form, oldest first."""
    return list(_read(folder / folder_name(form_id) / _FILE))


def last_certificate(folder: Path, form_id: str, server: str) -> Certificate | None:
    """The newest of a form and server."""
    return next((one for one in reversed(certificates(folder, form_id)) if one.server == server), None)


def nearly_forgotten(last: Certificate | None, retention_days: int, now: datetime | None = None) -> Problem | None:
    """A warning when the gap since the last pull nears the time after which the server forgets what was deleted."""
    if last is None or not retention_days:
        return None
    gap = ((now or datetime.now(UTC)) - datetime.fromisoformat(last.finished_at)).total_seconds() / 86400
    if gap < retention_days * _CALM:
        return None
    return Problem(
        "SERVER-033",
        "warning",
        f"{last.server}, {last.form_id}",
        f"The last pull was {gap:.0f} days ago. After {retention_days} days the server forgets when something was "
        "deleted; that it was deleted is still seen.",
        "Pull more often: dialogkit run once a day, or at least once a week.",
    )


def _read(path: Path) -> Iterator[Certificate]:
    names = {field.name for field in fields(Certificate)}
    with suppress(FileNotFoundError), path.open("rb") as file:
        for line in file:
            with suppress(ValueError, TypeError, AttributeError):
                facts = json.loads(line)
                yield Certificate(**{name: value for name, value in facts.items() if name in names})
