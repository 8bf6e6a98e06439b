"""A warehouse for the report and the lists of what is to be corrected: hostile words, every state, several groups."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import duckdb

from dialogkit.forms.versions import keep_version
from dialogkit.model.form import BuiltForm, Choice, Form
from dialogkit.warehouse.connect import writing
from dialogkit.warehouse.held import drop
from dialogkit.workspace import Workspace, open_workspace
from tests.builders import land_batch, make_form, received, write_batch

#: Stands in every answer and in every reason of a person, and so must stand on no page.
ANSWER: Final = "Zebracorn"
#: Stands in labels, titles, messages, senders and codes.
HOSTILE: Final = (
    '</style><script src="https://evil.example/x.js">alert(1)</script><img src="//evil.example/i.png" onerror=x>'
)
#: After every pull of these batches, whenever the tests run.
NOW: Final = datetime.now(UTC)
_COUNTRY: Final = {
    "type": "select_one",
    "concept": "geo.country",
    "list_name": "country",
    "labels": {"English (en)": "Country", "Français (fr)": "Pays", "العربية (ar)": "البلد"},
}
_AGE: Final = {
    "English (en)": "How old are you?",
    "Français (fr)": "Quel âge avez-vous ?",
    "Español (es)": "¿Qué edad tiene?",
}
_TOML: Final = """
[workspace]
name = "Dialogues of the lake <basin>"
[servers.field]
kind = "openrosa"
listen = "127.0.0.1:8790"
[servers.central]
kind = "central"
url = "https://central.example.org/"
project_id = 3
[servers.kobo]
kind = "kobo"
url = "https://kf.example.org"
[servers.odd]
kind = "kobo"
url = "javascript:alert(1)"
[forms.visit]
file = "visit.xlsx"
server = "central"
remote_id = "visit/ö"
[forms.market]
file = "market.xlsx"
server = "kobo"
remote_id = "aKobo1"
[forms.odd]
file = "odd.xlsx"
server = "odd"
remote_id = "aKobo2"
[forms.plain]
file = "plain.xlsx"
"""


def _form(form_id: str, version: str, title: str) -> Form:
    form = make_form(
        form_id,
        version,
        [
            ("text", "name", {"disclosure": "direct"}),
            (
                "select_one",
                "country",
                {k: v for k, v in _COUNTRY.items() if k != "type"} | {"choices": ["KEN", "MEX", "IND"]},
            ),
            ("integer", "age", {"labels": _AGE}),
            ("repeat", "r"),
            ("text", "r/said", {"labels": {"العربية (ar)": 'ماذا قال المشاركون عن "السوق"؟'}}),
            ("text", "hostile", {"labels": {"English (en)": f"What now? {HOSTILE}"}}),
        ],
    )
    named = {"KEN": "Kenya", "MEX": "Mexico", "IND": "India"}
    lists = {
        **form.choice_lists,
        "country": tuple(Choice(code, {"English (en)": name}) for code, name in named.items()),
    }
    return replace(
        form, title=title, choice_lists=lists, languages=("Français (fr)",), default_language="Français (fr)"
    )


VISIT: Final = _form("visit", "1", "Community visit")
VISIT_2: Final = _form("visit", f"2 {HOSTILE}", f"Community visit {HOSTILE}")
MARKET: Final = _form("market", "1", "Market prices")
ODD: Final = _form("odd", "1", "Odd")
#: What each broken rule says, and how many of its batches could be judged, failed or could not be decided.
_RULES: Final[Mapping[str, tuple[str, str, Mapping[str, str]]]] = {
    "FORM-REQUIRED:age": (
        "hold",
        "age",
        {"en": "“How old are you?” must be answered and is empty.", "fr": "« Quel âge avez-vous ? » est obligatoire."},
    ),
    "FORM-CONSTRAINT:r/said": (
        "hold",
        "r/said",
        {"en": "“ماذا قال المشاركون عن السوق؟” is not as the form allows.", "fr": "La réponse n’est pas permise."},
    ),
    f"RULE-7 {HOSTILE}": ("note", "hostile", {"en": f"Look: {HOSTILE}", "es": f"Mire: {HOSTILE}"}),
    "FORM-VERSION": ("hold", "", {"en": "The version is not known.", "fr": "La version est inconnue."}),
    "RULE-FALLEN": ("note", "age", {}),
    "FORM-CALCULATION:hostile": ("note", "hostile", {}),
    "RULE-QUIET": ("hold", "", {}),
}


def report_site(root: Path) -> Workspace:
    """The workspace, with 27 visits, one market and one odd submission."""
    (root / "dialogkit.toml").write_text(_TOML, encoding="utf-8")
    workspace = open_workspace(root)
    for form in (VISIT, VISIT_2, MARKET, ODD):
        keep_version(workspace.versions, BuiltForm(form, b"<x/>"))
    with writing(workspace.warehouse) as db:
        first = [_visit(VISIT, n, "Léa <b>Ω</b>", "KEN") for n in range(12)]
        first += [_visit(VISIT, 20 + n, "omar", "MEX") for n in range(9)]
        held = {f"uuid:{n:08}": "FORM-REQUIRED:age" for n in range(6)}
        batch = write_batch(workspace.batches, VISIT, first, server="central")
        land_batch(db, batch, VISIT, hold=held)
        second = [_visit(VISIT_2, 40 + n, f"few {HOSTILE}", "IND") for n in range(3)]
        second += [_visit(VISIT_2, 50, "", f"{ANSWER}land"), _visit(VISIT_2, 51, "", "IND", refused="no consent")]
        second += [_visit(VISIT_2, 52, "omar", "MEX"), _visit(VISIT_2, 53, "omar", "MEX", submitted_at="")]
        more = {"uuid:00000040": "FORM-CONSTRAINT:r/said", "uuid:00000052": "FORM-VERSION", "uuid:00000053": "GONE"}
        land_batch(db, write_batch(workspace.batches, VISIT_2, second, server="field"), VISIT, VISIT_2, hold=more)
        market = {"uuid:00000060": "FORM-REQUIRED:age"}
        one = write_batch(workspace.batches, MARKET, [_visit(MARKET, 60, "omar", "KEN")], server="kobo")
        land_batch(db, one, MARKET, hold=market)
        odd = {"uuid:00000070": "FORM-REQUIRED:age"}
        land_batch(
            db, write_batch(workspace.batches, ODD, [_visit(ODD, 70, "omar", "KEN")], server="odd"), ODD, hold=odd
        )
        drop(db, "uuid:00000053", f"{ANSWER} said so", f"{ANSWER} herself")
        _books(db, batch.manifest.batch_id)
    return workspace


def runs_of(days: Sequence[str]) -> list[tuple[Any, ...]]:
    """Rows of `ops.runs` of the form `visit`, one a day as `20261104`."""
    return [
        (
            f"{day}T080000000000Z-{number:08}",
            "visit",
            "central",
            "server",
            NOW,
            30,
            20 + number % 5,
            number % 4,
            2,
            0,
            0,
        )
        for number, day in enumerate(days)
    ]


def _visit(form: Form, number: int, submitter: str, country: str, **facts: Any) -> Any:
    answers = {"name": f"{ANSWER} {number}", "country": country, "age": "77777", "r": [{"r/said": ANSWER}]}
    facts.setdefault("submitted_at", "2026-11-20T10:00:00.000Z")
    return received(form, answers, f"uuid:{number:08}", submitter=submitter, **facts)


def _books(db: duckdb.DuckDBPyConnection, batch_id: str) -> None:
    """What landings with these rules would have written."""
    db.execute("DELETE FROM ops.rules")
    db.execute("DELETE FROM ops.rule_results")
    for form_id in ("visit", "market", "odd"):
        for rule, (action, path, message) in _RULES.items():
            if message:
                said = json.dumps(message, ensure_ascii=False)
                db.execute(
                    "INSERT INTO ops.rules VALUES (?, ?, ?, ?, ?, 'Fix it.')", [form_id, rule, path, action, said]
                )
            db.execute(_RESULT, [form_id, batch_id, rule, action, path, "evaluated", 3, ""])
    db.execute(_RESULT, ["visit", "z", "RULE-FALLEN", "note", "age", "failed to run", 0, f"No such column {HOSTILE}"])
    db.execute(
        _RESULT, ["visit", "z", "FORM-CALCULATION:hostile", "note", "hostile", "not decidable", 0, "now() of the phone"]
    )
    db.execute("UPDATE ops.violations SET path = 'age' WHERE rule = 'FORM-REQUIRED:age'")
    db.execute("UPDATE ops.violations SET path = 'r/said', row = '1' WHERE rule = 'FORM-CONSTRAINT:r/said'")
    noted = f"RULE-7 {HOSTILE}".replace("'", "''")
    db.execute(
        "INSERT INTO ops.violations SELECT submission_id, form_id, 'visit', '', 'hostile', "
        f"'{noted}', 'note' FROM ops.submissions WHERE form_id = 'visit' AND state = 'accepted'"
    )
    db.executemany(
        "INSERT INTO ops.runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        runs_of([f"202611{day:02}" for day in range(4, 19)]),
    )
    db.execute("INSERT INTO ops.refused_at_server VALUES ('field', 'visit', 'the person chose delete', 2)")
    for number, state in enumerate(["applied", "applied", "conflict", f"odd {HOSTILE}"]):
        entry = ["visit", "uuid:00000001", str(number), "", "age", "typo", ANSWER, ANSWER, "change_response", ANSWER]
        names = "form_id, submission_id, id, row, path, issue, old_value, new_value, change_type, corrected_by, "
        db.execute(
            f"INSERT INTO ops.corrections ({names}corrected_at, why, undoes, state, batch_id) "
            f"VALUES ({'?, ' * len(entry)}?, '', '', ?, 'b')",
            [*entry, NOW, state],
        )


_RESULT: Final = "INSERT INTO ops.rule_results VALUES (?, ?, ?, ?, ?, ?, ?, 1, 10, ?)"
