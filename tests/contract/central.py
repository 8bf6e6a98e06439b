"""A small form on the look-alike of ODK Central, and what the tests of the client do with it."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import Any

import openpyxl

from dialogkit.model.server import Entry, Fetched, Listing
from dialogkit.model.submission import Submission
from dialogkit.servers.again import Again
from dialogkit.servers.central.mirror import CentralServer
from dialogkit.servers.central.session import CentralSession
from tests.builders import make_form
from tests.lookalikes.central import Place

QUICK = Again(tries=3, first=0.01, sleep=lambda _: None)
QUESTIONS = [
    ("text", "said"),
    ("geopoint", "where"),
    ("begin_group", "g"),
    ("integer", "n"),
    ("begin_repeat", "person"),
    ("text", "name"),
    ("begin_repeat", "need"),
    ("text", "what"),
    ("end_repeat", ""),
    ("end_repeat", ""),
    ("end_group", ""),
    ("image", "photo"),
]
FORM = make_form(
    "talk",
    "1",
    [
        ("text", "said"),
        ("geopoint", "where"),
        ("group", "g"),
        ("integer", "g/n"),
        ("repeat", "g/person"),
        ("text", "g/person/name"),
        ("repeat", "g/person/need"),
        ("text", "g/person/need/what"),
        ("image", "photo"),
    ],
)
PEOPLE = [{"g/person/name": "Ana", "g/person/need": [{"g/person/need/what": 'a, "b"\nc'}, {}]}, {}]
FULL: dict[str, Any] = {"said": "  007 é & <x> ", "where": "1.50 2 0 4.0", "g/n": "1,5", "g/person": PEOPLE}


def book(version: str = "1", *more: tuple[str, str], form_id: str = "talk") -> bytes:
    """A small workbook."""
    made = openpyxl.Workbook()
    survey = made.active
    assert survey is not None
    survey.title = "survey"
    survey.append(["type", "name", "label"])
    for kind, name in (*QUESTIONS, *more):
        survey.append([kind, name, name])
    settings = made.create_sheet("settings")
    settings.append(["form_id", "version", "form_title"])
    settings.append([form_id, version, "Talk"])
    held = io.BytesIO()
    made.save(held)
    return held.getvalue()


def session_of(place: Place, password: str = "") -> CentralSession:
    return CentralSession("central", place.url, place.project_id, place.email, password or place.password, again=QUICK)


def listed(server: CentralServer, cursor: str = "") -> tuple[list[Entry], Listing]:
    listing = server.listing("talk", cursor)
    return [entry for page in listing.pages for entry in page], listing


def fetch(server: CentralServer, entries: Sequence[Entry], total: int = 0) -> Fetched:
    versions: Callable[[str], Any] = lambda version: FORM if version == "1" else None  # noqa: E731 - one line
    return server.fetch("talk", entries, versions, total or len(entries))


def pulled(server: CentralServer) -> dict[str, Submission]:
    return {one.submission.id: one.submission for one in fetch(server, listed(server)[0]).received}


def asked(place: Place, part: str) -> list[str]:
    return [one.target for one in place.faults.seen if part in one.target]
