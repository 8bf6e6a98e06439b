"""One JavaRosa for all tests of this folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dialogkit.forms.build import build_form
from dialogkit.model.form import BuiltForm
from dialogkit.model.submission import Answers
from tests.oracle.harness import HAS_JAVAC, NO_JAVAC, NOW, Oracle, Told
from tests.oracle.instances import instance_of

#: Answers to a form in markdown, and what JavaRosa says of each.
Ask = Callable[..., tuple[Told, ...]]


@pytest.fixture(scope="session")
def oracle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Oracle]:
    """Compiled and started once."""
    if not HAS_JAVAC:
        pytest.skip(NO_JAVAC)
    with Oracle(tmp_path_factory.mktemp("oracle")) as oracle:
        yield oracle


@pytest.fixture
def ask(oracle: Oracle, tmp_path: Path) -> Ask:
    """Builds a form from rows of markdown tables and lets JavaRosa judge answers to it."""

    def ask(rows: str, *answers: Answers, files: dict[str, str] | None = None, now: str = NOW) -> tuple[Told, ...]:
        built = build(tmp_path, rows, files or {})
        told = oracle.judge(built, [instance_of(built, one) for one in answers], now)
        assert told.error == ""
        return told.submissions

    return ask


def build(folder: Path, rows: str, files: dict[str, str]) -> BuiltForm:
    """The form of markdown tables without their outer spaces, with its media files beside it."""
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    path = folder / "asked.md"
    path.write_text("\n".join(line.strip() for line in rows.strip().splitlines()), encoding="utf-8")
    return build_form(path)
