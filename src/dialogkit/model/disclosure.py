"""Disclosure classes of statistical disclosure control, and the marks that go with them."""

from __future__ import annotations

from typing import Final

DIRECT: Final = "direct"
INDIRECT: Final = "indirect"
FREE_TEXT: Final = "free_text"
NONE: Final = "none"
CLASSES: Final = (DIRECT, INDIRECT, FREE_TEXT, NONE)

#: Concepts that need larger cells, k = 10 (findings.md R6). `barrier.type` counts for its family "context" only.
SENSITIVE: Final = frozenset(
    {
        "org.legal_status",
        "org.bank_access",
        "org.constituency",
        "event.participant_groups",
        "consent.risk",
        "adversity.type",
    }
)
