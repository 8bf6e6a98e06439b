"""Write-back: corrections go to the server that the submission came from, and are at the source after a pull."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from dialogkit.cli.main import cli
from dialogkit.steps.query import query
from dialogkit.steps.run import run
from dialogkit.workspace import Workspace
from tests.flow.test_review import ANSWERS, central_world


def said(workspace: Workspace) -> list[object]:
    return [row[0] for row in query(workspace, "SELECT said FROM accepted.talk ORDER BY 1")[1]]


def states(root: Path) -> list[str]:
    listed = CliRunner().invoke(cli, ["correct", "list", "talk", "--json", "-w", str(root)])
    return [one["state"] for one in json.loads(listed.stdout)]


def test_what_was_pushed_is_at_the_source_after_a_pull(tmp_path, monkeypatch):
    with central_world(tmp_path, monkeypatch) as world:
        root = str(tmp_path)

        def correct(*words: str) -> str:
            result = CliRunner().invoke(cli, ["correct", *words, "-w", root])
            assert result.exit_code == 0, result.output
            assert "Zebracorn" not in result.output
            return result.output

        world.new("uuid:a", ANSWERS)
        run(world.workspace)
        correct("add", "talk", "a", "said", "Yakoblin", "--why", "asked again")
        correct("add", "talk", "a", "who", "Bob", "--row", "1", "--why", "asked again")
        run(world.workspace)
        assert (said(world.workspace), states(tmp_path)) == (["Yakoblin"], ["applied", "applied"])
        shown = correct("push", "talk")
        assert "note[CORRECT-006]" in shown
        assert "Nothing was sent to field." in shown
        assert "Yakoblin" not in shown
        run(world.workspace)
        assert states(tmp_path) == ["applied", "applied"]
        assert "uuid:a: taken by field" in correct("push", "talk", "--yes")
        run(world.workspace)
        assert (said(world.workspace), states(tmp_path)) == (["Yakoblin"], ["at the source", "applied"])
        assert "There is nothing to send." in correct("push", "talk", "--yes")


def test_an_edit_on_the_server_is_a_conflict_that_holds(tmp_path, monkeypatch):
    with central_world(tmp_path, monkeypatch) as world:
        world.new("uuid:a", ANSWERS)
        run(world.workspace)
        words = ["correct", "add", "talk", "a", "said", "Yakoblin", "--why", "asked again", "-w", str(tmp_path)]
        assert CliRunner().invoke(cli, words).exit_code == 0
        run(world.workspace)
        assert world.central
        world.central.state.edit("uuid:a", {**ANSWERS, "g/said": "Quaggabird"})
        (ran,) = run(world.workspace).landed
        assert (ran.held, states(tmp_path)) == (1, ["conflict"])
        held = CliRunner().invoke(cli, ["held", "show", "a", "-w", str(tmp_path)])
        assert "held[CORRECTION-CONFLICT] talk, submission uuid:a, g/said" in held.output
        assert "Quaggabird" not in held.output
