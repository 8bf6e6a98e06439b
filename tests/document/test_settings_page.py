"""docs/settings.md says what config.py says."""

from __future__ import annotations

import runpy
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_page_of_settings_is_current() -> None:
    written = runpy.run_path(str(ROOT / "scripts" / "settings.py"))["page"]()
    assert (ROOT / "docs" / "settings.md").read_text(encoding="utf-8") == written, "run: python scripts/settings.py"
