"""The guide to the code names the folders that exist, and only those."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_folder_of_the_code_is_in_the_guide_and_the_guide_names_no_other() -> None:
    named = set(re.findall(r"^\| `((?:src|tests)/[^`]+)/` \|", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE))
    exist = {
        path.relative_to(ROOT).as_posix()
        for top in (ROOT / "src" / "dialogkit", ROOT / "tests")
        for path in top.iterdir()
        if path.is_dir() and path.name != "__pycache__" and any(path.rglob("*.*"))
    }
    assert named == exist


def test_every_file_of_the_code_says_in_its_first_line_what_it_is_for() -> None:
    files = sorted((ROOT / "src" / "dialogkit").rglob("*.py"))
    silent = [path.relative_to(ROOT).as_posix() for path in files if not path.read_text().startswith('"""')]
    assert files
    assert silent == []


def test_no_file_of_the_code_is_longer_than_300_lines() -> None:
    files = sorted((ROOT / "src" / "dialogkit").rglob("*.py"))
    long = {path.name: count for path in files if (count := len(path.read_text().splitlines())) > 300}
    assert long == {}
