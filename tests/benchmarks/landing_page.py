"""The part of the page about landing a million, and the marks for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import log
from typing import Final

Figures = Mapping[str, float]
#: Number of submissions → measure → figures.
Sizes = Mapping[int, Mapping[str, Figures]]
_Mark = tuple[str, str, bool]

#: The marks that dialogkit has set itself.
MOST_TIMES_ORJSON: Final = 6
LEAST_TIMES_QUICKER: Final = 3
MOST_MEGABYTES: Final = 1000
MOST_EXPONENT: Final = 1.0
MOST_FOR_ONE_MORE: Final = 1.5
MOST_DATABASE: Final = 0.12
MOST_BATCHES: Final = 0.15

_LARGE: Final = 1_000_000
_WAYS: Final = {
    "landing": "dialogkit, unchecked",
    "checked_landing": "dialogkit, every rule",
    "pandas_landing": "pandas",
    "orjson_parse": "orjson",
}
_SHAPES: Final = {
    "wide": "905 questions",
    "deep": "7 questions and repeats three deep, each with 7 questions and up to 3 rows",
}
_BAR: Final = 40


@dataclass(frozen=True)
class Lands:
    """Landings that are measured once.

    Args:
        formpack: at the smallest size.
        one_more: one submission into the warehouse of the largest size, and into an empty one.
        shapes: forms of other shapes, by name.
    """

    formpack: Figures
    one_more: Figures
    shapes: Mapping[str, Figures]


def landing_marks(sizes: Sizes, lands: Lands) -> Iterator[tuple[str, str, str]]:
    """Rows of the table of marks: the mark, what was measured, whether it holds."""
    texts = (
        f"landing 1,000,000 costs at most {MOST_TIMES_ORJSON} times orjson's parse of the same bytes",
        f"landing 1,000,000 costs at least {LEAST_TIMES_QUICKER} times less CPU than pandas' `json_normalize`",
        f"landing 1,000,000 takes less than {MOST_MEGABYTES:,} MB of memory, rules and Great Expectations included",
        f"CPU grows from 10,000 to 1,000,000 with an exponent of at most {MOST_EXPONENT:.1f}, with rules and without",
        f"one submission into a warehouse of 1,000,000 costs at most {MOST_FOR_ONE_MORE} times one into an empty one",
        f"1,000,000 submissions take at most {MOST_DATABASE:.0%} of their raw bytes in the warehouse file",
        "the same when one in a hundred is held, with its reasons",
        f"1,000,000 submissions take at most {MOST_BATCHES:.0%} of their raw bytes in batches",
    )
    measured = _measured(sizes, lands) if _LARGE in sizes else [("not in this run", None)] * len(texts)
    for text, (shown, holds) in zip(texts, measured, strict=True):
        yield text, shown, "–" if holds is None else "yes" if holds else "**no**"


def _measured(sizes: Sizes, lands: Lands) -> list[tuple[str, bool | None]]:
    large = sizes[_LARGE]
    cpu = {name: large[name]["cpu"] for name in _WAYS}
    times, quicker = cpu["landing"] / cpu["orjson_parse"], cpu["pandas_landing"] / cpu["landing"]
    memory = max(large[name]["peak"] for name in ("landing", "checked_landing"))
    exponent = max(_exponent(sizes, name) for name in ("landing", "checked_landing"))
    more = lands.one_more["full"] / lands.one_more["empty"]
    raw = large["prepared"]["raw"]
    database, checked = (large[name]["database"] / raw for name in ("landing", "checked_landing"))
    batches = large["prepared"]["batch"] / raw
    return [
        (f"{times:.1f} times", times <= MOST_TIMES_ORJSON),
        (f"{quicker:.1f} times", quicker >= LEAST_TIMES_QUICKER),
        (f"{memory:,.0f} MB", memory < MOST_MEGABYTES),
        (f"{exponent:.2f}", exponent <= MOST_EXPONENT),
        (f"{more:.2f} times", more <= MOST_FOR_ONE_MORE),
        (f"{database:.1%}", database <= MOST_DATABASE),
        (f"{checked:.1%}", checked <= MOST_DATABASE),
        (f"{batches:.1%}", batches <= MOST_BATCHES),
    ]


def _exponent(sizes: Sizes, name: str) -> float:
    """1 where ten times as many cost ten times as much."""
    first, last = min(sizes), max(sizes)
    return log(sizes[last][name]["cpu"] / sizes[first][name]["cpu"]) / log(last / first)


def landing_part(sizes: Sizes, lands: Lands) -> Iterator[str]:
    """The section “Landing a million”."""
    first, last = min(sizes), max(sizes)
    yield "## Landing a million"
    yield ""
    yield (
        f"What a thousand submissions cost, by how many there are; a bar of equal length at {first:,} and at {last:,} "
        "says that none gets dearer for the others. More than 100,000 land as batches of 100,000, as a pull writes "
        "them, each in a transaction of its own."
    )
    yield ""
    yield "```text"
    yield from _bars(sizes)
    yield "```"
    yield ""
    yield from _others(sizes, lands)
    yield from _shapes(sizes, lands)


def _bars(sizes: Sizes) -> Iterator[str]:
    costs = {(name, size): 1_000_000 * figures[name]["cpu"] / size for name in _WAYS for size, figures in sizes.items()}
    for (name, size), cost in costs.items():
        bar = "█" * max(1, round(_BAR * cost / max(costs.values())))
        yield f"{_WAYS[name]:22}{size:>10,}  {cost:6.1f} ms  {bar}"


def _others(sizes: Sizes, lands: Lands) -> Iterator[str]:
    first, last = min(sizes), max(sizes)
    here, formpack, one = sizes[first], lands.formpack, lands.one_more
    times = {name: formpack["cpu"] / here[name]["cpu"] for name in ("landing", "checked_landing", "pandas_landing")}
    yield (
        f"formpack's way, at {first:,}: {formpack['cpu']:.2f} s of CPU and {formpack['peak']:,.0f} MB, which is "
        f"{times['landing']:.1f} times our landing, {times['checked_landing']:.1f} times our landing with every rule, "
        f"and {times['pandas_landing']:.1f} times pandas. It makes one sheet of CSV, Python object by Python object; "
        "nothing is typed or checked, and the repeat is left out. This is code of our own in the manner of formpack's "
        "export, with little of what formpack does besides (versions of a form, labels, attachments): formpack itself "
        "took 2.0 s for 10,000 when it was measured once, on another machine."
    )
    yield ""
    yield (
        f"One more submission, with every rule, where {last:,} are in the warehouse: {one['full']:.2f} s of CPU; into "
        f"an empty warehouse, whose tables are made too, {one['empty']:.2f} s; into one that has the tables and one "
        f"submission {one['second']:.2f} s (medians of five, imports aside)."
    )
    yield ""


def _shapes(sizes: Sizes, lands: Lands) -> Iterator[str]:
    usual = sizes[min(sizes)]["checked_landing"]["cpu"] / _usual_cells(sizes)
    yield "| form | submissions | answers | CPU s | µs an answer | beside 60 questions | peak memory MB |"
    yield "|---|---:|---:|---:|---:|---:|---:|"
    first = min(sizes)
    checked = sizes[first]["checked_landing"]
    yield (
        f"| 60 questions and a repeat | {first:,} | {_usual_cells(sizes):,.0f} | {checked['cpu']:.2f} | "
        f"{1e6 * usual:.2f} | 1.0 | {checked['peak']:,.0f} |"
    )
    for name, found in lands.shapes.items():
        cost = found["cpu"] / found["cells"]
        yield (
            f"| {_SHAPES[name]} | {found['count']:,.0f} | {found['cells']:,.0f} | {found['cpu']:.2f} | "
            f"{1e6 * cost:.2f} | {cost / usual:.1f} | {found['peak']:,.0f} |"
        )
    yield ""
    yield "Each landed as by `dialogkit land`, with the rules of the form; the usual form also has rules of people."
    yield ""


def _usual_cells(sizes: Sizes) -> float:
    return sizes[min(sizes)]["prepared"]["cells"]
