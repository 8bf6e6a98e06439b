"""`dialogkit explain`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dialogkit.cli import options, output

if TYPE_CHECKING:
    from dialogkit.steps.explain import Explained


@click.command("explain")
@click.argument("submission")
@options.workspace
@options.as_json
def command(submission: str, folder: Path | None, as_json: bool) -> None:
    """What happened to one submission, oldest first: when it came, what became of it and why. No answer is shown.

    SUBMISSION is its id, or the beginning of it.
    """
    from dialogkit.cli.told import show_story
    from dialogkit.steps.explain import explain
    from dialogkit.workspace import open_workspace

    found = explain(open_workspace(folder), submission)
    if as_json:
        output.data([_as_data(one) for one in found])
        return
    for one in found:
        show_story(one)


def _as_data(one: Explained) -> dict[str, object]:
    story = asdict(one.story) if one.story else {}
    facts = {"form_id": one.form_id, "submission_id": one.submission_id, "state": one.story and one.story.state}
    return facts | story | {name: [asdict(it) for it in getattr(one, name)] for name in ("waiting", "releases")}
