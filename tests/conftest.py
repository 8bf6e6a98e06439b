"""What many tests need: a warehouse of their own, a workspace of their own, no settings from outside."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from dialogkit.steps.init import init
from dialogkit.warehouse.connect import writing
from dialogkit.workspace import Workspace


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("DIALOGKIT_"):
            monkeypatch.delenv(name)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty warehouse, in a file of its own, open for writing."""
    with writing(tmp_path / "w.duckdb") as connection:
        yield connection


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A workspace with the shipped forms, its team constants filled in."""
    return init(tmp_path / "workspace", "Test", team_contact="team@example.org", team_server="a test, nowhere")
