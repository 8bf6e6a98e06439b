"""Interviews for the quality rules: honest ones, and what the rules find in a batch of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

import duckdb

from dialogkit.model.form import Form
from dialogkit.model.server import Received
from dialogkit.model.submission import Answers, Origin
from dialogkit.validate.quality.rules import prepare, quality_rules
from tests.builders import land_batch, make_form, received, stage_batch, write_batch

SCALE = [f"s{number}" for number in range(1, 7)]
FREE = [f"o{number}" for number in range(1, 6)]
ROWS: list[Any] = [
    ("start", "start"),
    ("end", "end"),
    ("deviceid", "device"),
    ("select_one", "country", {"choices": ["KEN", "FRA", "FJI", "XXX"], "concept": "geo.country"}),
    ("text", "collector", {"required": "yes"}),
    ("integer", "age", {"required": "yes"}),
    ("decimal", "income", {"required": "yes"}),
    ("text", "story", {"required": "yes"}),
    *[
        (
            "select_one",
            f"g/{name}",
            {"list_name": "scale", "required": "yes"} | ({"choices": list("123")} if n == 0 else {}),
        )
        for n, name in enumerate(SCALE)
    ],
    ("geopoint", "place"),
    ("calculate", "sum", {"calculation": "1"}),
    *[("text", name) for name in FREE],
    ("text", "why", {"relevant": "${age} > 200"}),
    ("repeat", "person"),
    ("integer", "person/years"),
]
FORM = make_form("f", "1", ROWS)
Broken = list[tuple[str, str, str]]
Run = Callable[..., Broken]


def answers(number: int, **changed: str) -> dict[str, Any]:
    """An honest interview, a different one for each number. An empty text takes an answer away."""
    rng = Random(number)
    told = {
        "start": "2026-11-20T09:00:00.000+03:00",
        "end": "2026-11-20T09:30:00.000+03:00",
        "device": f"device {number}",
        "country": "KEN",
        "collector": "amina",
        "age": str(rng.randint(18, 90)),
        "income": f"{rng.gauss(500, 50):.1f}",
        "story": f"story {number}",
        **{f"g/{name}": rng.choice("123") for name in SCALE[:-2]},
        "g/s5": "1",
        "g/s6": "3",
        "place": f"{rng.uniform(-1, 1):.6f} {rng.uniform(36, 38):.6f} 0 5",
        **{name: f"{name} {number}" for name in FREE},
        "sum": str(number),
    }
    told |= {key.replace("__", "/"): value for key, value in changed.items()}
    return {key: value for key, value in told.items() if value}


def visit(number: int, *, form: Form = FORM, sent: str = "2026-11-20T10:00:00.000Z", **changed: Any) -> Received:
    """An interview as it was received."""
    people = changed.pop("person", None)
    facts = {key: changed.pop(key) for key in ("submitter", "origin", "submission_id") if key in changed}
    told: Answers = answers(number, **changed) | ({"person": people} if people else {})
    return received(
        form, told, facts.pop("submission_id", f"uuid:{number:04}"), submitted_at=sent, **({"submitter": "a"} | facts)
    )


def runner(db: duckdb.DuckDBPyConnection, tmp_path: Path) -> Run:
    """Finds what breaks which rule: submission, row and code. `land` loads a batch before."""

    def broken(
        some: Sequence[Received],
        tables: Mapping[str, Mapping[str, Any]] | None = None,
        *,
        form: Form = FORM,
        origin: Origin = "server",
        land: bool = False,
    ) -> Broken:
        batch = write_batch(tmp_path / "batches", form, some, origin=origin)
        if land:
            land_batch(db, batch, form)
            return []
        staged = stage_batch(db, batch, form)
        found: Broken = []
        for rule in quality_rules(staged, tables or {}, prepare(db, staged)):
            assert set(rule.messages) == {"en", "fr", "es"}
            found += [(id_, row, rule.code) for id_, row in db.execute(rule.query).fetchall()]
        return sorted(found)

    return broken


def ids(broken: Broken, code: str) -> list[str]:
    """The numbers of the submissions that break a rule."""
    return sorted({id_.removeprefix("uuid:").lstrip("0") for id_, _, found in broken if found == code})
