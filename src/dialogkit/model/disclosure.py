"""Disclosure classes of statistical disclosure control."""

from __future__ import annotations

from typing import Final

DIRECT: Final = "direct"
INDIRECT: Final = "indirect"
FREE_TEXT: Final = "free_text"
NONE: Final = "none"
CLASSES: Final = (DIRECT, INDIRECT, FREE_TEXT, NONE)
