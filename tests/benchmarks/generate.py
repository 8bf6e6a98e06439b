"""Seeded submissions as KoboToolbox gives them (`/api/v2/assets/…/data/`), and the form that they answer.

60 questions and a repeat, about 2.9 kB a submission. One submission in a hundred has something wrong with it, so that
issues and rules have work to do. The same seed gives the same submissions, and a shorter run is the start of a longer.
"""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from dialogkit.model.server import Received
from dialogkit.model.submission import Answers, Submission

FORM_ID: Final = "bench"
VERSION: Final = "vBench26"
REPEAT: Final = "topics/barrier"
#: Keys that KoboToolbox adds to the answers; the rest of a submission is answers.
NOT_ANSWERS: Final = frozenset({"formhub/uuid", "__version__", "meta/instanceID", "meta/rootUuid"})

_GROUPS: Final = ("event", "people", "place", "topics", "results", "follow_up")
_CYCLE: Final = (
    "integer",
    "decimal",
    "select_one options",
    "select_multiple options",
    "text",
    "date",
    "select_one options",
    "text",
    "integer",
    "select_one options",
)
OPTIONS: Final = tuple(f"option_{number}" for number in range(8))
_WORDS: Final = [
    "réunion",
    "people",
    "water",
    "road",
    "cost",
    "travel",
    "document",
    "señal",
    "région",
    "translation",
    "office",
    "delay",
    "permit",
    "community",
    "visa",
    "phone",
    "interpreter",
    "deadline",
    "budget",
    "letter",
    "reply",
    "meeting",
    "quorum",
    "agenda",
]
_PORTION: Final = 10_000
_FIRST: Final = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Asked:
    """A question of the form, as its row in the survey sheet needs it."""

    path: str
    type: str
    required: bool = False
    disclosure: str = "none"

    @property
    def name(self) -> str:
        return self.path.rsplit("/", 1)[-1]


def _questions() -> tuple[Asked, ...]:
    found = [Asked("start", "start"), Asked("end", "end")]
    for number in range(56):
        kind, group = _CYCLE[number % 10], _GROUPS[number // 10]
        disclosure = "free_text" if kind == "text" else "none"
        if number in (4, 14):
            disclosure = "direct"
        found.append(Asked(f"{group}/question_{number:02d}", kind, number % 4 == 0, disclosure))
    return (
        *found,
        Asked("place/position", "geopoint", disclosure="indirect"),
        Asked("topics/any_barrier", "select_one yes_no", True),
    )


QUESTIONS: Final = _questions()
ROW_QUESTIONS: Final = (
    Asked(f"{REPEAT}/kind", "select_one options", True),
    Asked(f"{REPEAT}/days_lost", "integer"),
    Asked(f"{REPEAT}/remark", "text", disclosure="free_text"),
)


def form_markdown() -> str:
    """The form as a Markdown XLSForm."""
    rows = ["| survey | type | name | label | required | relevant | disclosure |"]
    rows += [_row(asked) for asked in QUESTIONS if "/" not in asked.path]
    for group in _GROUPS:
        rows.append(f"| | begin_group | {group} | {group} | | | |")
        rows += [_row(asked) for asked in QUESTIONS if asked.path.startswith(f"{group}/")]
        if REPEAT.startswith(f"{group}/"):
            rows.append("| | begin_repeat | barrier | Barrier | | ${any_barrier} = 'yes' | |")
            rows += [_row(asked) for asked in ROW_QUESTIONS]
            rows.append("| | end_repeat | | | | | |")
        rows.append("| | end_group | | | | | |")
    rows.append("| choices | list_name | name | label |")
    rows += [f"| | options | {name} | {name} |" for name in OPTIONS]
    rows += ["| | yes_no | yes | Yes |", "| | yes_no | no | No |"]
    rows += ["| settings | form_id | form_title | version |", f"| | {FORM_ID} | Benchmark | {VERSION} |"]
    return "\n".join(rows) + "\n"


def suite_toml() -> str:
    """Rules of people for the form, in Great Expectations' own words."""
    numbers = [asked.name for asked in QUESTIONS if asked.type == "integer"][:4]
    rules = [
        f'[[rule]]\ncode = "RULE-{n:03d}"\ntype = "expect_column_values_to_be_between"\ncolumn = "{name}"\n'
        f'min_value = 0\nmax_value = 1000\naction = "hold"\nmessage.en = "{name} is at most 1000."\n'
        for n, name in enumerate(numbers, 1)
    ]
    rules.append(
        '[[rule]]\ncode = "RULE-005"\ntype = "expect_column_pair_values_a_to_be_greater_than_b"\ncolumn_A = "end"\n'
        'column_B = "start"\nor_equal = true\naction = "note"\nmessage.en = "It ends after it starts."\n'
    )
    return "\n".join(rules)


def submissions(count: int, seed: int = 1, first: int = 1) -> Iterator[dict[str, Any]]:
    """`count` submissions, as objects of KoboToolbox's `results`.

    Args:
        count: how many.
        seed: the same seed, the same submissions.
        first: number of the first one, 1 more than a multiple of 10,000: so that several processes can share a million.
    """
    chance = random.Random(seed)
    asset, formhub = f"a{chance.getrandbits(100):021x}"[:22], f"{chance.getrandbits(128):032x}"
    for number in range(first, first + count):
        if number % _PORTION == 1:
            # Each portion has a chance of its own, whatever was made before it.
            chance = random.Random(f"{seed}/{number}")
        instance = str(uuid.UUID(int=chance.getrandbits(128), version=4))
        begun = _FIRST + timedelta(seconds=97 * number)
        answers = _answers(chance, begun)
        if number % 100 == 0:
            _spoil(chance, answers)
        yield {
            "_id": number,
            "formhub/uuid": formhub,
            **answers,
            "__version__": VERSION,
            "meta/instanceID": f"uuid:{instance}",
            "_xform_id_string": asset,
            "_uuid": instance,
            "meta/rootUuid": f"uuid:{instance}",
            "_attachments": [],
            "_status": "submitted_via_web",
            "_geolocation": [float(part) for part in answers.get("place/position", "").split()[:2]] or [None, None],
            "_submission_time": f"{begun + timedelta(hours=2):%Y-%m-%dT%H:%M:%S}",
            "_tags": [],
            "_notes": [],
            "_validation_status": {},
            "_submitted_by": "organiser",
        }


def raw_line(submission: dict[str, Any]) -> bytes:
    """One submission as KoboToolbox writes it, without a line break."""
    return json.dumps(submission, ensure_ascii=False, separators=(",", ":")).encode()


def received(submission: dict[str, Any]) -> Received:
    """The submission as a pull hands it on: canonical answers, and the bytes that the server sent."""
    kept = Submission(
        id=submission["meta/rootUuid"],
        instance_id=submission["meta/instanceID"],
        form_id=FORM_ID,
        form_version=submission["__version__"],
        submitted_at=submission["_submission_time"] + "Z",
        submitter=submission["_submitted_by"],
        answers=canonical(submission),
    )
    return Received(kept, raw_line(submission))


def canonical(submission: dict[str, Any]) -> Answers:
    """Only the answers: full paths, text as typed."""
    return {path: value for path, value in submission.items() if path[0] != "_" and path not in NOT_ANSWERS}


def _row(asked: Asked) -> str:
    label = "" if asked.type in ("start", "end") else asked.name.replace("_", " ")
    required = "yes" if asked.required else ""
    return f"| | {asked.type} | {asked.name} | {label} | {required} | | {asked.disclosure} |"


def _answers(chance: random.Random, begun: datetime) -> dict[str, Any]:
    answers: dict[str, Any] = {
        "start": f"{begun:%Y-%m-%dT%H:%M:%S.000+00:00}",
        "end": f"{begun + timedelta(minutes=chance.randrange(5, 90)):%Y-%m-%dT%H:%M:%S.000+00:00}",
    }
    barriers = chance.choice((0, 1, 2, 3, 4, 4, 5, 5))
    for asked in QUESTIONS[2:]:
        if asked.name == "any_barrier":
            answers[asked.path] = "yes" if barriers else "no"
        elif asked.required or chance.random() < 0.85:
            answers[asked.path] = a_value(chance, asked.type)
    if barriers:
        answers[REPEAT] = [_barrier(chance) for _ in range(barriers)]
    return answers


def _barrier(chance: random.Random) -> dict[str, str]:
    asked = [asked for asked in ROW_QUESTIONS if asked.required or chance.random() < 0.85]
    return {one.path: a_value(chance, one.type) for one in asked}


def a_value(chance: random.Random, kind: str) -> str:
    """An answer to a question of this type."""
    if kind == "integer":
        return str(chance.randrange(1000))
    if kind == "decimal":
        return f"{chance.random() * 100:.2f}"
    if kind == "date":
        return f"2026-{chance.randrange(1, 13):02d}-{chance.randrange(1, 29):02d}"
    if kind == "geopoint":
        return f"{chance.uniform(-60, 60):.6f} {chance.uniform(-180, 180):.6f} {chance.randrange(3000)}.0 4.5"
    if kind.startswith("select_one"):
        return chance.choice(OPTIONS)
    if kind.startswith("select_multiple"):
        ticked = [option for option in OPTIONS if chance.random() < 0.3]
        return " ".join(ticked or OPTIONS[:1])
    return " ".join(chance.choice(_WORDS) for _ in range(chance.randrange(2, 9)))


def _spoil(chance: random.Random, answers: dict[str, Any]) -> None:
    """One answer that no phone should send: a number in words, an unknown choice, a required answer left out."""
    kind = chance.choice(("integer", "select_one options", "required"))
    some = [asked.path for asked in QUESTIONS if asked.path in answers and kind in (asked.type, "required")]
    path = chance.choice([path for path in some if kind != "required" or path in _REQUIRED])
    if kind == "required":
        del answers[path]
    else:
        answers[path] = "twelve" if kind == "integer" else "option_99"


_REQUIRED: Final = frozenset(asked.path for asked in QUESTIONS if asked.required)
