"""What is installed with pip is enough for `dialogkit init`: the forms, rules and SQL are inside the wheel."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from hatchling.build import build_wheel

ROOT = Path(__file__).parents[2]


def test_the_wheel_brings_every_form_rule_finding_and_migration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    wheel = build_wheel(str(tmp_path))
    with zipfile.ZipFile(tmp_path / wheel) as archive:
        inside = set(archive.namelist())
    shipped = [
        path.relative_to(ROOT).as_posix()
        for pattern in (
            "forms/*.xlsx",
            "forms/*.md",
            "validations/*.toml",
            "warehouse/findings/*.sql",
            "warehouse/migrations/*.sql",
        )
        for path in ROOT.glob(pattern)
    ]
    assert len(shipped) > 25
    assert [name for name in shipped if f"dialogkit/bundle/{name}" not in inside] == []
    assert {"dialogkit/data/first_dialogues.json", "dialogkit/py.typed"} <= inside
