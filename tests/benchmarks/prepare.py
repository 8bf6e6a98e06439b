"""Writes what the measures read: the bytes as KoboToolbox sends them, and a workspace with batches of them."""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Final

from dialogkit.forms.build import build_form
from dialogkit.forms.versions import keep_version
from dialogkit.model.form import BuiltForm
from dialogkit.model.submission import Answers
from dialogkit.pull.batches import LARGEST
from dialogkit.pull.writer import new_batch
from dialogkit.workspace import Workspace, open_workspace
from tests.benchmarks.generate import FORM_ID, form_markdown, received, submissions, suite_toml
from tests.benchmarks.meter import Meter

SEED: Final = 20261121
_AT_ONCE: Final = 1_000
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


def raw_files(folder: Path) -> list[Path]:
    """The lines of KoboToolbox, as many files as there are batches."""
    return sorted(folder.glob("kobo_*.ndjson"))


def prepare(folder: Path, count: int) -> dict[str, float]:
    """Fill `folder`; tells sizes, and what writing the batches cost beyond making the submissions up."""
    workspace, _ = workspace_in(folder)
    parts = [(folder, first, min(LARGEST, count - first + 1)) for first in range(1, count + 1, LARGEST)]
    with ProcessPoolExecutor(min(len(parts), os.cpu_count() or 1), get_context("spawn")) as pool:
        made = list(pool.map(_make_batch, parts))
    return {
        "raw": sum(path.stat().st_size for path in raw_files(folder)),
        "batch": sum(path.stat().st_size for path in workspace.batches.rglob("*") if path.is_file()),
        "write_seconds": sum(seconds for seconds, _ in made),
        "cells": sum(cells for _, cells in made),
    }


def cells_of(answers: Answers) -> int:
    """How many answers there are, rows of repeats included."""
    return sum(1 if isinstance(value, str) else sum(map(cells_of, value)) for value in answers.values())


def _make_batch(part: tuple[Path, int, int]) -> tuple[float, int]:
    """One batch and its raw lines; gives the CPU seconds of the batch alone, and the number of answers."""
    folder, first, count = part
    workspace = open_workspace(folder)
    built = build_form(workspace.form_file(FORM_ID))
    making, cells = 0.0, 0
    raw_file = folder / f"kobo_{first:07}.ndjson"
    with (
        raw_file.open("wb") as raw,
        Meter() as whole,
        new_batch(workspace.batches, FORM_ID, "server", "kobo") as batch,
    ):
        made = (received(one) for one in submissions(count, SEED, first))
        while True:
            with Meter() as meter:
                some = list(islice(made, _AT_ONCE))
                raw.writelines(one.body + b"\n" for one in some)
                cells += sum(cells_of(one.submission.answers) for one in some)
            making += meter.cpu
            if not some:
                break
            for one in some:
                batch.add(one, built.form)
    return whole.cpu - making, cells
