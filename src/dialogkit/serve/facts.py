"""What the server knows of a stored submission, apart from its answers: `facts.json` in its folder."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

FACTS: Final = "facts.json"
XML: Final = "submission.xml"
FILES: Final = "files"
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}")


@dataclass(frozen=True, slots=True)
class StoredFile:
    """An attachment on disk. `md5` is what the Briefcase interface calls its hash."""

    name: str
    size: int
    sha256: str
    md5: str


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts of one edition.

    Args:
        instance_id: of this edition.
        submission_id: survives edits: the instanceID of the first edition.
        deprecated_id: of the edition that this one replaces; empty for a first one.
        role, label: of the key that it came by.
        submitted_at, received_at: when the first edition and when this one came, ISO 8601 in UTC.
        sequence: grows with everything that a pull must see.
        complete: whether all posts of a split submission came.
        sha256: of the XML as received.
        files: attachments.
        refused: why the answers were taken away (a later edition chose so); empty otherwise.
        buried: folder names of the editions that were taken away with it.
    """

    instance_id: str
    submission_id: str
    deprecated_id: str
    form_id: str
    form_version: str
    role: str
    label: str
    submitted_at: str
    received_at: str
    sequence: int
    complete: bool
    sha256: str
    files: tuple[StoredFile, ...] = ()
    refused: str = ""
    buried: tuple[str, ...] = ()

    def to_bytes(self) -> bytes:
        """The text of `facts.json`."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=1).encode()


def read_facts(folder: Path) -> Facts:
    """The facts in a submission's folder.

    Raises:
        ValueError: they are missing, not whole, or a file they name is not there in its size.
    """
    try:
        data = json.loads((folder / FACTS).read_bytes())
        files = tuple(StoredFile(**file) for file in data.pop("files"))
        facts = Facts(files=files, buried=tuple(data.pop("buried")), **data)
        whole = bool(facts.refused) or (folder / XML).is_file()
        whole = whole and all((folder / FILES / file.name).stat().st_size == file.size for file in files)
    except (OSError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"no facts ({type(error).__name__})") from None
    if not whole:
        raise ValueError("a file is missing or cut off")
    return facts


def folder_of(instance_id: str) -> str:
    """The name of a submission's folder: never the text that came from outside."""
    return hashlib.sha256(instance_id.encode(errors="surrogatepass")).hexdigest()[:40]


def folder_of_form(form_id: str) -> str:
    """The name of a form's folder: the form_id where it is harmless, otherwise a part of it with a hash."""
    if _PLAIN.fullmatch(form_id):
        return form_id
    harmless = re.sub(r"[^A-Za-z0-9_-]+", "_", form_id)[:40]
    return f"{harmless}-{hashlib.sha256(form_id.encode(errors='surrogatepass')).hexdigest()[:12]}"
