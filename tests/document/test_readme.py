"""The README says what is so: its commands are taken and run, its links lead somewhere, and the notebook is current."""

from __future__ import annotations

import json
import re
import runpy
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from dialogkit.cli.main import cli
from dialogkit.steps.demo import demo

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
#: Commands of the README that wait for somebody, or need what the README has not made.
NOT_RUN = {"init", "serve", "run", "import", "verify"}


def commands(page: Path) -> list[list[str]]:
    """Every `dialogkit …` line of the fences of a page, without its comment."""
    fences = re.findall(r"^```sh\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    lines = [line for fence in fences for line in fence.splitlines() if line.startswith("dialogkit ")]
    return [shlex.split(line, comments=True)[1:] for line in lines]


def taken(words: list[str]) -> None:
    """Raise click's own error when the command line would not take these words."""
    command: click.Command = cli
    context = cli.make_context("dialogkit", words[:0], resilient_parsing=True)
    rest = list(words)
    while isinstance(command, click.Group):
        name, found, rest = command.resolve_command(context, rest)
        assert found is not None
        command = found
        if not isinstance(command, click.Group):
            command.make_context(name, rest, parent=context)
            return
        context = click.Context(command, info_name=name, parent=context)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A workspace after a demo, with the files that the README speaks of."""
    place = tmp_path_factory.mktemp("readme") / "demo"
    with demo(place, "127.0.0.1:0") as done:
        (place / "values.csv").write_text("record,table,field,value,how,source_sentence\n")
        done.release.folder.rename(done.release.folder.with_name("2026-11-21-1"))
    yield place


@pytest.mark.parametrize("words", commands(ROOT / "README.md"), ids=" ".join)
def test_every_command_of_the_readme_is_taken_and_runs(
    words: list[str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    taken(words)
    if words[0] not in NOT_RUN:
        result = CliRunner().invoke(cli, words)
        assert result.exit_code == 0, result.output


def test_the_notebook_shows_what_its_cells_give(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = runpy.run_path(str(ROOT / "scripts" / "notebook.py"))
    written = script["PAGE"].read_text(encoding="utf-8")
    monkeypatch.chdir(folder.parent)
    fresh = script["shown"](json.loads(written))
    for old, new in zip(json.loads(written)["cells"], fresh["cells"], strict=True):
        assert new == old, "run: python scripts/notebook.py"
    assert script["text_of"](fresh) == written


def test_the_readme_shows_the_main_commands() -> None:
    shown = {words[0] for words in commands(ROOT / "README.md")}
    assert {"init", "form", "serve", "run", "held", "query", "findings", "import", "publish", "verify"} <= shown


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_file_leads_to_one(page: Path) -> None:
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []
