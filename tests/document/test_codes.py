"""Codes: each is given somewhere, tested somewhere, and stands in docs/codes.md as the source says it."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = runpy.run_path(str(ROOT / "scripts" / "codes.py"))
GIVEN = SCRIPT["all_given"]()
CODES = sorted({given.code for given in GIVEN})
TESTS = "".join(
    path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py") if path.name != Path(__file__).name
)
TESTED = set(re.findall(r"\b[A-Z]+-[0-9]{3}\b", TESTS))
WRITTEN = re.compile(r'"([A-Z]+-[0-9]{3})"')


def test_the_page_of_codes_is_current():
    page = (ROOT / "docs" / "codes.md").read_text(encoding="utf-8")
    assert page == SCRIPT["page"](), "run: python scripts/codes.py"


def test_every_code_that_is_written_in_the_source_is_on_the_page():
    written = set()
    for path in (ROOT / "src").rglob("*.py"):
        written |= set(WRITTEN.findall(path.read_text(encoding="utf-8")))
    page = SCRIPT["page"]()
    assert [code for code in sorted(written) if f"| {code} |" not in page] == []


def test_every_code_says_something():
    assert set(CODES) - {given.code for given in GIVEN if given.message or given.fix} == set()


@pytest.mark.parametrize("code", CODES)
def test_every_code_is_tested(code):
    assert code in TESTED, f"{code} is given in the source and tested nowhere"
