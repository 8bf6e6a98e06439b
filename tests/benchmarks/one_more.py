"""One new submission into a full warehouse and into an empty one: what a landing costs that brings next to nothing."""

from __future__ import annotations

import shutil
from pathlib import Path
from statistics import median

from dialogkit.forms.build import build_form
from dialogkit.pull.writer import new_batch
from dialogkit.steps.land import land
from dialogkit.workspace import Workspace, open_workspace
from tests.benchmarks.generate import FORM_ID, received, submissions
from tests.benchmarks.meter import Meter
from tests.benchmarks.prepare import SEED, workspace_in


def land_one_more(folder: Path, times: int) -> dict[str, float]:
    """CPU of landing one submission: the median of so many times each.

    Args:
        folder: a workspace with submissions in its warehouse.
        times: how often.

    Returns:
        `full`: into that warehouse; `empty`: into a new file, whose tables are made too; `second`: into a file that has
        the tables and a submission.
    """
    empty, second = [], []
    for number in range(times + 1):
        aside = folder / "aside"
        workspace, _built = workspace_in(aside)
        empty.append(_land(workspace, 2 * number + 1))
        second.append(_land(workspace, 2 * number + 2))
        shutil.rmtree(aside)
    workspace = open_workspace(folder)
    full = [_land(workspace, number) for number in range(1, times + 2)]
    # The first of each warms up what only a first landing of a process imports and reads.
    return {"full": median(full[1:]), "empty": median(empty[1:]), "second": median(second[1:])}


def _land(workspace: Workspace, number: int) -> float:
    """Land a batch of one, made from another seed: the warehouse has not seen it."""
    built = build_form(workspace.form_file(FORM_ID))
    (one,) = list(submissions(number, SEED + 1))[-1:]
    with new_batch(workspace.batches, FORM_ID, "server", "kobo") as batch:
        batch.add(received(one), built.form)
    with Meter() as meter:
        (landed,) = land(workspace)
    assert landed.accepted + landed.held == 1
    return meter.cpu
