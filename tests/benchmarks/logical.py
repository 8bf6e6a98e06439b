"""A form whose logic makes 75 rules of all kinds, and seeded submissions of it.

60 questions and a repeat. One submission in a hundred breaks a rule, one in a thousand answers something that was not
relevant. The same seed gives the same submissions.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
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
_NOTES: Final = 12
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
    rows += [("yes_no", name, name.title()) for name in ("yes", "no")]
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
        for number in range(6)
    ]
    rules.append(
        '[[rule]]\ncode = "RULE-006"\ntype = "expect_column_pair_values_a_to_be_greater_than_b"\n'
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
    for number in range(6):
        limits = ". >= 0 and . <= 1000" if number < 4 else ""
        yield "integer", f"number_{number}", "Number", "yes" if number % 2 == 0 else "", "", limits
    for number in range(3):
        yield "decimal", f"amount_{number}", "Amount", "", "", ". >= ${number_0} div -1" if number == 0 else ""
    yield "date", "day_0", "Day"
    yield "date", "day_1", "Day", "", "", ". >= ${day_0} or ${day_0} = ''"
    yield "date", "day_2", "Day", "", "", ". <= today() + 400"
    yield "end_group", "", ""
    yield "begin_group", "choices", "Choices"
    for number in range(6):
        yield "select_one options", f"choice_{number}", "Choice", "yes" if number < 2 else ""
    yield "select_one countries", "country", "Country", "yes"
    yield "select_one cities", "city", "City", "", "", "", "", "country = ${country}"
    yield "select_multiple cities", "visited", "Visited", "", "", "", "", "country = ${country}"
    yield "select_multiple options", "several", "Several", "", "", "count-selected(.) <= 8"
    yield "end_group", "", ""
    yield "begin_group", "words", "Words"
    for number in range(8):
        yield "text", f"text_{number}", "Text", "", "", "string-length(.) <= 200" if number == 0 else ""
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
    yield "select_one yes_no", "any_people", "Anybody", "yes"
    yield "begin_repeat", "people", "People", "", "${any_people} = 'yes'", "", "", "", "${people_count}"
    yield "select_one options", "role", "Role", "yes"
    yield "integer", "age", "Age", "", "", ". >= 0 and . <= 1000"
    yield "text", "remark", "Remark"
    yield "end_repeat", "", ""
    for number in range(_NOTES):
        yield "text", f"note_{number}", "Remark"


class _Said(dict[str, "str | list[Answers]"]):
    """Answers by path, most of them given by chance."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__()
        self.chance = chance

    def say(self, path: str, kind: str, *, always: bool = False) -> None:
        """An answer of this type."""
        self.put(path, a_value(self.chance, kind), always=always)

    def put(self, path: str, answer: str, *, always: bool = False) -> None:
        """This answer, or none."""
        if always or self.chance.random() < 0.85:
            self[path] = answer


def _answers(chance: random.Random, begun: datetime) -> dict[str, str | list[Answers]]:
    said = _Said(chance)
    for name, moment in (("start", begun), ("end", begun + timedelta(minutes=chance.randrange(5, 90)))):
        said[name] = f"{moment:%Y-%m-%dT%H:%M:%S.000+00:00}"
    _say_facts(said)
    for number in range(8):
        said.say(f"words/text_{number}", "text")
    said.say("words/position", "geopoint")
    if said["choices/choice_0"] in OPTIONS[:3]:
        for number in range(3):
            said.say(f"opened/inner_{number}", "text")
        said.say("opened/inner_number", "integer", always=True)
    for number in range(3):
        if said.get(f"choices/choice_{number + 1}") == f"option_{number}":
            said.say(f"follow_{number}", "text")
    for number in range(_NOTES):
        said.say(f"note_{number}", "text", always=True)
    return dict(said) | _calculated(said) | _people(chance)


def _say_facts(said: _Said) -> None:
    chance = said.chance
    for number in range(6):
        said.say(f"facts/number_{number}", "integer", always=number % 2 == 0)
        said.say(f"choices/choice_{number}", "select_one options", always=number < 2)
    first = date(2026, 1, 1) + timedelta(days=chance.randrange(200))
    for number in range(3):
        said.say(f"facts/amount_{number}", "decimal")
        said.put(f"facts/day_{number}", f"{first + timedelta(days=number):%Y-%m-%d}")
    country = chance.randrange(_COUNTRIES)
    said["choices/country"] = f"country_{country}"
    said.put("choices/city", _city(chance, country))
    said.put("choices/visited", " ".join(dict.fromkeys(_city(chance, country) for _ in range(3))))
    said.say("choices/several", "select_multiple options")


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
    said: dict[str, str | list[Answers]] = {"people_count": str(count), "any_people": "yes" if rows else "no"}
    return said | ({"people": rows} if rows else {})


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
            ("facts/number_4", ""),
        )
    )
    if value:
        answers[path] = value
    else:
        del answers[path]
