"""A submission as it lies in a folder, and what can be wrong with the files there."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from dialogkit.errors import UnexpectedReply

#: A file that is read in one piece is not larger.
MAX_WHOLE: Final = 256 * 1024 * 1024
#: An archive, and a workbook, does not unpack to more.
MAX_UNPACKED: Final = 1024 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Media:
    """A file of a submission. `member` names it inside an archive; no `path`: it is named, but is not there."""

    name: str
    path: Path | None = None
    member: str = ""

    @property
    def fact(self) -> str:
        """Changes when the file does."""
        if self.path is None:
            return f"{self.name} missing"
        facts = self.path.stat()
        return f"{self.name} {self.member} {facts.st_size} {facts.st_mtime_ns}"


@dataclass(frozen=True, slots=True)
class Raw:
    """One submission before its form is known.

    Args:
        kind: the reader that made it: `instance`, `kobo`, `workbook` or `central`.
        id: survives edits, as far as this one submission tells.
        data: all that was read of it.
        file: where it was read.
        media: its files.
        edition, replaces: its instanceID and the one that it replaces; empty where the id says it all.
        broken: it cannot be read; only its id is known.
    """

    kind: str
    id: str
    data: bytes
    file: Path
    media: tuple[Media, ...] = ()
    edition: str = ""
    replaces: str = ""
    broken: bool = False

    @property
    def signature(self) -> str:
        """Changes when anything of the submission does."""
        facts = [self.kind, self.edition, *sorted(media.fact for media in self.media)]
        return hashlib.blake2b("\n".join(facts).encode() + b"\0" + self.data, digest_size=12).hexdigest()


@dataclass(frozen=True)
class Place:
    """The folder of a server, as its readers see it.

    Args:
        server: name of the server, for messages.
        root: the folder.
        form_id: whose submissions are wanted.
        folders: every folder with its files.
        media: name of a folder → the files in it by name (exports keep files in a folder named by the submission).
        others: ids of other forms.
    """

    server: str
    root: Path
    form_id: str
    folders: Mapping[Path, Sequence[Path]]
    media: Mapping[str, Mapping[str, Path]] = field(default_factory=dict)
    others: frozenset[str] = frozenset()

    def where(self, file: Path) -> str:
        """A file in a message: relative to the folder."""
        return f"{self.server}, {file.relative_to(self.root).as_posix() or '.'}"

    def named(self, file: Path) -> bool:
        """Whether the file, or a folder above it, has the name of the form."""
        names = {file.name, file.stem, *file.relative_to(self.root).parts[:-1]}
        return self.form_id in names

    def of_another(self, file: Path) -> bool:
        """Whether a file that names no form is of another one: its folder is, or the form has a folder of its own."""
        parts = file.relative_to(self.root).parts[:-1]
        own = any(folder.name == self.form_id for folder in self.folders)
        return bool(parts) and (own or not self.others.isdisjoint(parts))

    def broken(self, file: Path, what: str) -> UnexpectedReply:
        """SERVER-104."""
        return UnexpectedReply(
            "SERVER-104",
            self.where(file),
            f"The file {what}.",
            "Download or copy it once more, or take it out of the folder. Nothing was changed.",
        )

    def nameless(self, file: Path) -> UnexpectedReply:
        """SERVER-103."""
        return UnexpectedReply(
            "SERVER-103",
            self.where(file),
            "Nothing in the file says which form its submissions are of.",
            f"Put it into a folder with the name of its form, such as {self.form_id}/{file.name}.",
        )


def changed_at(file: Path) -> str:
    """When the file was written, ISO 8601 in UTC: the best that a folder knows of when a submission came."""
    at = datetime.fromtimestamp(file.stat().st_mtime, UTC)
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


def in_utc(text: str) -> str:
    """A time of a server as ISO 8601 in UTC; `""` when it is none."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return ""
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
