"""Forms of other shapes than the usual one: very wide, and with repeats in repeats. What a cell costs there."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from dialogkit.forms.build import build_form
from dialogkit.forms.versions import keep_version
from dialogkit.model.server import Received
from dialogkit.model.submission import Answers, Submission
from dialogkit.pull.writer import new_batch
from dialogkit.workspace import open_workspace
from tests.benchmarks.generate import OPTIONS, a_value, raw_line
from tests.benchmarks.prepare import cells_of

_VERSION: Final = "1"
_KINDS: Final = (
    "text",
    "integer",
    "select_one options",
    "decimal",
    "select_multiple options",
    "date",
    "select_one options",
)
_LEVELS: Final = ("visit", "house", "person")


@dataclass(frozen=True)
class Shape:
    """A form, and how many submissions of it land.

    Args:
        name: of the form.
        questions: path → type; a path in `a/b/c` stands in groups, or in repeats where `repeats` has it.
        repeats: paths of repeats, the outer ones first.
        rows: how many rows a repeat has in its row above, at most.
        count: submissions.
    """

    name: str
    questions: dict[str, str]
    repeats: tuple[str, ...] = ()
    rows: int = 0
    count: int = 1_000


def _wide() -> Shape:
    return Shape("wide", {f"part_{number // 50:02}/question_{number:03}": _KINDS[number % 7] for number in range(905)})


def _deep() -> Shape:
    questions = {f"question_{number}": kind for number, kind in enumerate(_KINDS)}
    repeats = tuple("/".join(_LEVELS[: depth + 1]) for depth in range(len(_LEVELS)))
    for level, repeat in zip(_LEVELS, repeats, strict=True):
        questions |= {f"{repeat}/{level}_{number}": kind for number, kind in enumerate(_KINDS)}
    return Shape("deep", questions, repeats, rows=3, count=10_000)


SHAPES: Final = {shape.name: shape for shape in (_wide(), _deep())}


def prepare_shape(folder: Path, shape: Shape, percent: int) -> dict[str, float]:
    """A workspace with one batch of the shape, of so many percent of its submissions; tells how many answers it has."""
    (folder / "forms").mkdir(parents=True, exist_ok=True)
    (folder / "forms" / f"{shape.name}.md").write_text(_markdown(shape), encoding="utf-8")
    (folder / "dialogkit.toml").write_text(
        f'[workspace]\nname = "benchmark"\nteam_contact = "benchmark"\nteam_server = "this computer"\n\n'
        f'[servers.field]\nkind = "openrosa"\nlisten = "127.0.0.1:0"\n\n'
        f'[forms.{shape.name}]\nfile = "forms/{shape.name}.md"\nserver = "field"\n',
        encoding="utf-8",
    )
    workspace = open_workspace(folder)
    built = build_form(workspace.form_file(shape.name))
    keep_version(workspace.versions, built)
    cells = raw = 0
    count = shape.count * percent // 100
    with new_batch(workspace.batches, shape.name, "server", "kobo") as batch:
        for one in islice(_submissions(shape), count):
            batch.add(one, built.form)
            cells += cells_of(one.submission.answers)
            raw += len(one.body)
    return {"cells": cells, "raw": raw, "count": count}


def _markdown(shape: Shape) -> str:
    rows = ["| survey | type | name | label |"]
    open_sections: list[str] = []
    for path, kind in [*shape.questions.items(), ("", "")]:
        sections = path.split("/")[:-1]
        while open_sections and open_sections != sections[: len(open_sections)]:
            end = "repeat" if "/".join(open_sections) in shape.repeats else "group"
            rows.append(f"| | end_{end} | | |")
            open_sections.pop()
        for name in sections[len(open_sections) :]:
            open_sections.append(name)
            begin = "repeat" if "/".join(open_sections) in shape.repeats else "group"
            rows.append(f"| | begin_{begin} | {name} | {name} |")
        if path:
            name = path.rsplit("/", 1)[-1]
            rows.append(f"| | {kind} | {name} | {name} |")
    rows.append("| choices | list_name | name | label |")
    rows += [f"| | options | {name} | {name} |" for name in OPTIONS]
    rows += ["| settings | form_id | form_title | version |", f"| | {shape.name} | Benchmark | {_VERSION} |"]
    return "\n".join(rows) + "\n"


def _submissions(shape: Shape) -> Iterator[Received]:
    chance = random.Random(shape.name)
    for _ in range(shape.count):
        name = f"uuid:{uuid.UUID(int=chance.getrandbits(128), version=4)}"
        answers = _answers(chance, shape, "")
        body = raw_line({"meta/instanceID": name, **answers})
        yield Received(Submission(name, name, shape.name, _VERSION, "2026-11-20T10:00:00Z", answers=answers), body)


def _answers(chance: random.Random, shape: Shape, level: str) -> Answers:
    answers: dict[str, str | list[Answers]] = {}
    for path, kind in shape.questions.items():
        if _repeat_of(shape, path) == level and chance.random() < 0.85:
            answers[path] = a_value(chance, kind)
    for repeat in shape.repeats:
        if _repeat_of(shape, repeat) == level:
            rows = [_answers(chance, shape, repeat) for _ in range(chance.randint(0, shape.rows))]
            if rows:
                answers[repeat] = rows
    return answers


def _repeat_of(shape: Shape, path: str) -> str:
    above = [repeat for repeat in shape.repeats if path.startswith(f"{repeat}/")]
    return above[-1] if above else ""
