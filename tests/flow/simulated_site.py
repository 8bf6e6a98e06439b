"""A workspace whose forms are pulled from folders of made-up submissions."""

from __future__ import annotations

import json
import shutil
from collections import defaultdict
from datetime import date
from pathlib import Path
from typing import Any, Final

from dialogkit.bundled import bundled
from dialogkit.config import FILE_NAME
from dialogkit.steps.init import init
from dialogkit.steps.land import land
from dialogkit.steps.pull import pull
from dialogkit.steps.simulate import Simulation, Wish, simulate
from dialogkit.warehouse.connect import reading
from dialogkit.workspace import Workspace, open_workspace

FORMS: Final = tuple(sorted(path.stem for path in bundled("forms").glob("*.xlsx")))
TODAY: Final = date(2026, 11, 20)
_FOLDER: Final = '[servers.field]\nkind = "folder"\npath = "made-up"\n'


def workspace(root: Path) -> Workspace:
    """A new workspace with all forms of dialogkit; their server is the folder `made-up`."""
    init(root, "Trial", team_contact="nobody", team_server="nowhere")
    # Rules of people want more than the form does; findings are not what is looked at.
    for folder in (root / "validations", root / "warehouse" / "findings"):
        shutil.rmtree(folder)
        folder.mkdir()
    settings = (root / FILE_NAME).read_text(encoding="utf-8")
    start = settings.index("[servers.field]")
    end = settings.index("\n[", start)
    (root / FILE_NAME).write_text(settings[:start] + _FOLDER + settings[end:], encoding="utf-8")
    return open_workspace(root)


def made_up(place: Workspace, form_id: str, count: int, breaks: tuple[str, ...] = (), seed: int = 1) -> Simulation:
    """Made-up submissions of a form, in a folder of the workspace."""
    to = place.root / "made-up" / f"{form_id}-{seed}"
    return simulate(place.form_file(form_id), to, Wish(count, seed, TODAY, breaks), place)


def planted(place: Workspace, form_id: str, seed: int = 1) -> list[dict[str, Any]]:
    """What the folder says of its broken submissions."""
    file = place.root / "made-up" / f"{form_id}-{seed}" / "planted.json"
    found: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
    return found


def landed(place: Workspace, *forms: str) -> None:
    """Pull and land these forms."""
    pull(place, forms)
    land(place, forms)


def rows(place: Workspace, statement: str) -> list[tuple[Any, ...]]:
    """What the warehouse answers."""
    with reading(place.warehouse) as db:
        return db.execute(statement).fetchall()


def violations(place: Workspace) -> dict[str, set[tuple[str, str]]]:
    """Rule and path of every violation by submission."""
    found: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    for submission, rule, path in rows(place, "SELECT submission_id, rule, path FROM ops.violations"):
        found[submission].add((rule, path))
    return found
