"""A form whose logic makes 75 rules of all kinds, and seeded submissions of it.

60 questions and a repeat. One submission in a hundred breaks a rule, one in a thousand answers something that was not
relevant. The same seed gives the same submissions.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Final

from dialogkit.model.server import Received
from dialogkit.model.submission import Answers, Submission
from tests.benchmarks.generate import OPTIONS, a_value, raw_line

FORM_ID: Final = "logical"
_VERSION: Final = "1"
_FIRST: Final = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
_COUNTRIES: Final = 4
_CITIES: Final = 10
_HEAD: Final = (
    "type",
    "name",
    "label",
    "required",
    "relevant",
    "constraint",
    "calculation",
    "choice_filter",
    "repeat_count",
)
_OPENED: Final = "${choice_0} = 'option_0' or ${choice_0} = 'option_1' or ${choice_0} = 'option_2'"


def form_markdown() -> str:
    """The form as a Markdown XLSForm."""
    rows = ["survey", _HEAD, *_sheet()]
    rows += ["choices", ("list_name", "name", "label", "country")]
    rows += [("options", name, name) for name in OPTIONS]
    rows += [("countries", f"country_{number}", f"Country {number}") for number in range(_COUNTRIES)]
    rows += [
        ("cities", f"city_{number}_{city}", f"City {city}", f"country_{number}")
        for number in range(_COUNTRIES)
        for city in range(_CITIES)
    ]
    rows += ["settings", ("form_id", "form_title", "version"), (FORM_ID, "Benchmark of rules", _VERSION)]
    width = len(_HEAD)
    lines = []
    for row in rows:
        cells = (row,) if isinstance(row, str) else ("", *row, *[""] * (width - len(row)))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def suite_toml() -> str:
    """Rules of people for the form, in Great Expectations' own types."""
    rules = [
        f'[[rule]]\ncode = "RULE-{number:03d}"\ntype = "expect_column_values_to_be_between"\n'
        f'column = "number_{number}"\nmin_value = 0\nmax_value = 990\naction = "note"\n'
        f'message.en = "Number {number} is at most 990."\n'
        for number in range(8)
    ]
    rules.append(
        '[[rule]]\ncode = "RULE-008"\ntype = "expect_column_pair_values_a_to_be_greater_than_b"\n'
        'column_A = "end"\ncolumn_B = "start"\nor_equal = true\naction = "note"\nmessage.en = "It ends later."\n'
    )
    return "\n".join(rules)


def whole_form_toml() -> str:
    """Rules over all submissions of the form, those that were accepted before too."""
    return (
        '[[rule]]\ncode = "RULE-101"\ntype = "expect_compound_columns_to_be_unique"\nscope = "form"\n'
        'column_list = ["number_0", "number_1", "text_0"]\naction = "note"\nmessage.en = "Sent once."\n\n'
        '[[rule]]\ncode = "RULE-102"\ntype = "expect_column_values_to_be_unique"\nscope = "form"\n'
        'column = "text_1"\naction = "note"\nmessage.en = "Each has its own."\n'
    )


def submissions(count: int, seed: int = 1) -> Iterator[Received]:
    """`count` submissions, as a pull hands them on."""
    chance = random.Random(f"{FORM_ID}/{seed}")
    for number in range(1, count + 1):
        name = f"uuid:{uuid.UUID(int=chance.getrandbits(128), version=4)}"
        begun = _FIRST + timedelta(seconds=97 * number)
        answers = _answers(chance, begun)
        if number % 100 == 0:
            _spoil(chance, answers, hidden=number % 1_000 == 0)
        sent = f"{begun + timedelta(hours=2):%Y-%m-%dT%H:%M:%SZ}"
        body = raw_line({"meta/instanceID": name, **answers})
        yield Received(Submission(name, name, FORM_ID, _VERSION, sent, answers=answers), body)


def _sheet() -> Iterator[tuple[str, ...]]:
    yield from ((kind, kind, "") for kind in ("start", "end"))
    yield "begin_group", "facts", "Facts"
    for number in range(8):
        limits = ". >= 0 and . <= 1000" if number < 6 else ""
        yield "integer", f"number_{number}", "Number", "yes" if number % 2 == 0 else "", "", limits
    for number in range(4):
        yield "decimal", f"amount_{number}", "Amount", "", "", ". >= ${number_0} div -1" if number < 2 else ""
    yield "date", "day_0", "Day"
    yield "date", "day_1", "Day", "", "", ". >= ${day_0} or ${day_0} = ''"
    yield "date", "day_2", "Day", "", "", ". <= today() + 400"
    yield "end_group", "", ""
    yield "begin_group", "choices", "Choices"
    for number in range(8):
        yield "select_one options", f"choice_{number}", "Choice", "yes" if number < 3 else ""
    yield "select_one countries", "country", "Country", "yes"
    yield "select_one cities", "city", "City", "", "", "", "", "country = ${country}"
    yield "select_multiple cities", "visited", "Visited", "", "", "", "", "country = ${country}"
    for number in range(2):
        yield "select_multiple options", f"several_{number}", "Several", "", "", "count-selected(.) <= 8"
    yield "end_group", "", ""
    yield "begin_group", "words", "Words"
    for number in range(8):
        yield "text", f"text_{number}", "Text", "", "", "string-length(.) <= 200" if number < 2 else ""
    yield "geopoint", "position", "Position"
    yield "end_group", "", ""
    yield "begin_group", "opened", "Opened", "", _OPENED
    for number in range(3):
        yield "text", f"inner_{number}", "Text"
    yield "integer", "inner_number", "Number", "yes", "", ". < 2000"
    yield "end_group", "", ""
    for number in range(3):
        yield "text", f"follow_{number}", "Text", "", f"${{choice_{number + 1}}} = 'option_{number}'"
    yield "calculate", "added", "", "", "", "", "${number_0} + ${number_2}"
    yield "calculate", "named", "", "", "", "", "concat(${country}, '/', ${choice_1})"
    yield "calculate", "large", "", "", "", "", "if(${number_4} > 500, 'yes', 'no')"
    yield "integer", "people_count", "How many", "yes", "", ". <= 5"
    yield "begin_repeat", "people", "People", "", "${people_count} > 0", "", "", "", "${people_count}"
    yield "select_one options", "role", "Role", "yes"
    yield "integer", "age", "Age", "", "", ". >= 0 and . <= 1000"
    yield "text", "remark", "Remark"
    yield "end_repeat", "", ""
    for number in range(6):
        yield "text", f"note_{number}", "Remark"


def _answers(chance: random.Random, begun: datetime) -> dict[str, str | list[Answers]]:
    said: dict[str, str | list[Answers]] = {
        "start": f"{begun:%Y-%m-%dT%H:%M:%S.000+00:00}",
        "end": f"{begun + timedelta(minutes=chance.randrange(5, 90)):%Y-%m-%dT%H:%M:%S.000+00:00}",
    }

    def say(path: str, make: Callable[[], str], *, always: bool = False) -> None:
        if always or chance.random() < 0.85:
            said[path] = make()

    for number in range(8):
        say(f"facts/number_{number}", lambda: a_value(chance, "integer"), always=number % 2 == 0)
    for number in range(4):
        say(f"facts/amount_{number}", lambda: a_value(chance, "decimal"))
    first = date(2026, 1, 1) + timedelta(days=chance.randrange(200))
    for number in range(3):
        say(f"facts/day_{number}", lambda number=number: f"{first + timedelta(days=number):%Y-%m-%d}")  # type: ignore[misc]
    for number in range(8):
        say(f"choices/choice_{number}", lambda: chance.choice(OPTIONS), always=number < 3)
    country = chance.randrange(_COUNTRIES)
    said["choices/country"] = f"country_{country}"
    say("choices/city", lambda: _city(chance, country))
    say("choices/visited", lambda: " ".join(dict.fromkeys(_city(chance, country) for _ in range(3))))
    for number in range(2):
        say(f"choices/several_{number}", lambda: a_value(chance, "select_multiple options"))
    for number in range(8):
        say(f"words/text_{number}", lambda: a_value(chance, "text"))
    say("words/position", lambda: a_value(chance, "geopoint"))
    if said["choices/choice_0"] in OPTIONS[:3]:
        for number in range(3):
            say(f"opened/inner_{number}", lambda: a_value(chance, "text"))
        said["opened/inner_number"] = a_value(chance, "integer")
    for number in range(3):
        if said.get(f"choices/choice_{number + 1}") == f"option_{number}":
            say(f"follow_{number}", lambda: a_value(chance, "text"))
    return said | _calculated(said) | _people(chance) | {f"note_{n}": a_value(chance, "text") for n in range(6)}


def _calculated(said: Answers) -> dict[str, str]:
    one, other, third = (int(str(said[f"facts/number_{number}"])) for number in (0, 2, 4))
    return {
        "added": str(one + other),
        "named": f"{said['choices/country']}/{said['choices/choice_1']}",
        "large": "yes" if third > 500 else "no",
    }


def _people(chance: random.Random) -> dict[str, str | list[Answers]]:
    count = chance.choice((0, 1, 2, 3, 4, 4, 5, 5))
    rows: list[Answers] = [
        {"people/role": chance.choice(OPTIONS), "people/age": a_value(chance, "integer")} for _ in range(count)
    ]
    return {"people_count": str(count)} | ({"people": rows} if rows else {})


def _city(chance: random.Random, country: int) -> str:
    return f"city_{country}_{chance.randrange(_CITIES)}"


def _spoil(chance: random.Random, answers: dict[str, str | list[Answers]], *, hidden: bool) -> None:
    """What no phone should send."""
    if hidden:
        answers["choices/choice_0"] = OPTIONS[7]
        answers["opened/inner_0"] = a_value(chance, "text")
        return
    path, value = chance.choice(
        (
            ("facts/number_1", "1001"),
            ("facts/number_3", "twelve"),
            ("choices/choice_4", "option_99"),
            ("choices/city", "city_0_0"),
            ("added", "5"),
            ("facts/number_6", ""),
        )
    )
    if value:
        answers[path] = value
    else:
        del answers[path]
