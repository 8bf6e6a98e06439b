"""`python -m tests.benchmarks --quick` runs every measure once and writes a whole page."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.bench
def test_the_quick_benchmark_measures_everything_and_writes_its_page(tmp_path: Path) -> None:
    page = tmp_path / "benchmarks.md"
    command = [sys.executable, "-m", "tests.benchmarks", "--quick", "--to", str(page)]
    subprocess.run(command, check=True, cwd=Path(__file__).parents[2], capture_output=True)
    text = page.read_text(encoding="utf-8")
    assert text.count("| 2,000 |") == 6
    assert "formpack's way, at 2,000" in text
    assert text.count("not in this run") == 13
    assert "75 rules of every kind" in text
    assert "8 clients" in text
    assert text.count("| 1,000 |") == 2
    assert "nan" not in text
