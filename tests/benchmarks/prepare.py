"""Writes what the measures read: the bytes as KoboToolbox sends them, and a workspace with one batch of them."""

from __future__ import annotations

from pathlib import Path

from dialogkit.forms.build import build_form
from dialogkit.forms.versions import keep_version
from dialogkit.model.form import BuiltForm
from dialogkit.pull.writer import new_batch
from dialogkit.workspace import Workspace, open_workspace
from tests.benchmarks.generate import FORM_ID, form_markdown, raw_line, received, submissions, suite_toml
from tests.benchmarks.meter import Meter

SEED = 20261121
_TOML = f"""\
[workspace]
name = "benchmark"
team_contact = "benchmark"
team_server = "this computer"

[servers.field]
kind = "openrosa"
listen = "127.0.0.1:0"

[forms.{FORM_ID}]
file = "forms/{FORM_ID}.md"
server = "field"
"""


def workspace_in(folder: Path) -> tuple[Workspace, BuiltForm]:
    """A workspace with the form of the benchmark and its rules."""
    for name, text in (
        ("dialogkit.toml", _TOML),
        (f"forms/{FORM_ID}.md", form_markdown()),
        (f"validations/{FORM_ID}.toml", suite_toml()),
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    workspace = open_workspace(folder)
    built = build_form(workspace.form_file(FORM_ID))
    keep_version(workspace.versions, built)
    return workspace, built


def raw_file(folder: Path) -> Path:
    """Where the lines of KoboToolbox lie."""
    return folder / "kobo.ndjson"


def prepare(folder: Path, count: int) -> dict[str, float]:
    """Fill `folder`; tells sizes, and what writing the batch cost beyond making the submissions up."""
    workspace, built = workspace_in(folder)
    with raw_file(folder).open("wb") as file:
        for submission in submissions(count, SEED):
            file.write(raw_line(submission) + b"\n")
    made = [received(submission) for submission in submissions(min(count, 10_000), SEED)]
    with Meter() as meter, new_batch(folder / "scrap", FORM_ID, "server", "kobo") as batch:
        for one in made:
            batch.add(one, built.form)
    with new_batch(workspace.batches, FORM_ID, "server", "kobo") as batch:
        for submission in submissions(count, SEED):
            batch.add(received(submission), built.form)
    return {
        "raw": raw_file(folder).stat().st_size,
        "batch": sum(path.stat().st_size for path in workspace.batches.rglob("*") if path.is_file()),
        "write_seconds": meter.cpu / len(made) * count,
    }
