"""The manifest of a batch on disk: the last file to be written, with a hash of its own."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from dialogkit.errors import BatchError
from dialogkit.model.batch import FORMAT, Manifest

MANIFEST: Final = "manifest.json"
AGAIN: Final = "Take the folder out of warehouse/batches and bring its submissions again: dialogkit pull --full"


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest of a batch that is still under its temporary name."""
    facts = manifest.to_json()
    text = json.dumps(facts | {"sha256": _hash(facts)}, ensure_ascii=False, indent=1)
    (folder / MANIFEST).write_text(text, encoding="utf-8")


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a batch, without a look at the other files.

    Raises:
        BatchError: it is missing, changed, or of another format.
    """
    try:
        facts = json.loads((folder / MANIFEST).read_bytes())
        written = facts.pop("sha256", "")
        number = facts["format"]
    except FileNotFoundError:
        raise BatchError("BATCH-001", folder.name, "The batch has no manifest.json.", AGAIN) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise BatchError("BATCH-001", folder.name, "manifest.json cannot be read.", AGAIN) from None
    if number != FORMAT:
        raise BatchError(
            "BATCH-005", folder.name, "It was written by another version of dialogkit.", "Use the newest dialogkit."
        )
    if written != _hash(facts):
        raise BatchError("BATCH-001", folder.name, "manifest.json is not the one that was written.", AGAIN)
    return Manifest(**facts)


def _hash(facts: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(facts, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def forms_with_batches(folder: Path) -> set[str]:
    """Ids of the forms that have a batch, whether dialogkit.toml still names them or not."""
    found = set()
    for inside in folder.glob("*"):
        manifest = next(inside.glob(f"[0-9]*Z-*/{MANIFEST}"), None)
        if manifest is not None:
            found.add(read_manifest(manifest.parent).form_id)
    return found
