"""What a pull brought, in a line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dialogkit.pull.portions import Pulled


def pulled_line(pulled: Pulled) -> str:
    """The counts of a pull, and whether server and workspace were equal at its end."""
    line = f"{pulled.form_id}: {_counted(pulled.submissions, 'submission')}"
    if pulled.batches > 1:
        line += f" in {pulled.batches} batches"
    if pulled.deleted:
        line += f", {pulled.deleted} of them deleted on the server"
    if pulled.refused:
        line += f", {sum(pulled.refused.values())} refused"
    proof = pulled.certificate
    if proof.server_count >= 0:
        line += f"; {proof.server_count} on the server, {proof.local_count} here"
        line += ": equal" if proof.equal else f": {len(proof.only_here)} only here, {len(proof.only_there)} only there"
    if proof.files_missing:
        line += f"; attachments of {_counted(proof.files_missing, 'submission')} still to come"
    return line


def not_started_line(forms: Sequence[str]) -> str:
    """Which forms were left out, because nothing can have come yet."""
    return f"Forms on dialogkit's own server, which was never started: {len(forms)}. Start it: dialogkit serve"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun if count == 1 else noun + 's'}"
