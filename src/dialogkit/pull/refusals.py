"""How many submissions each server itself turned away: totals since it began, beside the batches of a form."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from dialogkit.files import write_whole
from dialogkit.pull.batches import folder_name

_FILE: Final = "refused_at_server.json"


def note_refusals(folder: Path, form_id: str, server: str, counts: Mapping[str, int]) -> None:
    """Keep the totals of one server by reason; a server that cannot tell changes nothing."""
    known = {name: dict(reasons) for name, reasons in refusals(folder, form_id).items()}
    if counts and known.get(server) != dict(counts):
        known[server] = dict(counts)
        text = json.dumps(known, ensure_ascii=False, indent=1, sort_keys=True)
        write_whole(folder / folder_name(form_id) / _FILE, text.encode())


def refusals(folder: Path, form_id: str) -> Mapping[str, Mapping[str, int]]:
    """Totals by server and reason."""
    with suppress(OSError, ValueError):
        found: Mapping[str, Mapping[str, int]] = json.loads((folder / folder_name(form_id) / _FILE).read_bytes())
        return found
    return {}
