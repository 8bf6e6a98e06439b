"""docs/tables.md says what is so: its examples are run on its form, and its aliases are those that are given."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import pytest

from dialogkit.forms.build import build_form
from dialogkit.forms.versions import keep_version
from dialogkit.model.submission import Answers
from dialogkit.normalize.alias import alias_of
from dialogkit.steps.land import land
from dialogkit.steps.query import query
from dialogkit.warehouse.snapshot import make_snapshot
from dialogkit.workspace import Workspace, open_workspace
from tests.builders import received, write_batch

PAGE: Final = (Path(__file__).parents[2] / "docs" / "tables.md").read_text(encoding="utf-8")
#: A statement, and the table of its answer that follows it.
EXAMPLES: Final = re.findall(r"^```sql\n(.*?)^```\n\n((?:\|[^\n]*\n)+)", PAGE, re.MULTILINE | re.DOTALL)
VISITS: Final = [{"person/visit/helped": "no"}, {"person/visit/helped": "yes"}]
ANSWERS: Final[Mapping[str, Answers]] = {
    "uuid:1": {
        "water": "yes",
        "tools": "ox hoe",
        "well": "-1.25 30.5 1400 5",
        "person": [{"person/age": "41"}, {"person/age": "9", "person/visit": VISITS}],
    },
    "uuid:2": {"water": "no"},
}


@pytest.fixture(scope="module")
def village(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The form of the page with two submissions, landed."""
    root = tmp_path_factory.mktemp("tables")
    (root / "dialogkit.toml").write_text('[forms.village]\nfile = "village.md"\n')
    (form,) = re.findall(r"^```text\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    (root / "village.md").write_text(form, encoding="utf-8")
    built, workspace = build_form(root / "village.md"), open_workspace(root)
    keep_version(workspace.versions, built)
    some = [received(built.form, answers, key) for key, answers in ANSWERS.items()]
    write_batch(workspace.batches, built.form, some)
    land(workspace)
    make_snapshot(workspace.warehouse, workspace.snapshots)
    return workspace


def cells(table: str) -> list[list[str]]:
    """The cells of a table of the page, without the line below its head."""
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.strip().splitlines()]
    return [lines[0], *lines[2:]]


def shown(value: object) -> str:
    """A value as the page writes it."""
    if isinstance(value, list):
        return f"[{', '.join(map(str, value))}]"
    return "" if value is None else str(value)


def test_every_statement_of_the_page_has_its_answer() -> None:
    assert len(EXAMPLES) == PAGE.count("```sql") > 5


@pytest.mark.parametrize(("statement", "answer"), EXAMPLES, ids=range(len(EXAMPLES)))
def test_a_statement_gives_what_the_page_says(statement: str, answer: str, village: Workspace) -> None:
    columns, rows = query(village, statement)
    assert [columns, *([shown(value) for value in row] for row in rows)] == cells(answer)


def test_the_aliases_of_the_page_are_those_that_are_given() -> None:
    lines: Sequence[Sequence[str]] = cells(PAGE.split("## Aliases")[1].split("\n\n")[2])[1:]
    assert len(lines) > 5
    for column, alias, _ in lines:
        name, *others = re.findall(r"`(.+?)`", column)
        assert alias == f"`{alias_of(name, {other.lower() for other in others})}`"
