"""What may be written under [quality.<name>], and what holds where nothing is written."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from dialogkit.errors import ConfigError
from dialogkit.model.report import Action
from dialogkit.validate.words import place

_TIME: Final = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


@dataclass(frozen=True)
class Key:
    """A key of a rule: what its value must be, in words and as a test, and what it is where nobody writes it."""

    must: str
    fits: Callable[[Any], bool]
    default: Any = None


def _is_number(value: Any, low: float, high: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high


def _is_time(value: Any) -> bool:
    return isinstance(value, str) and bool(_TIME.fullmatch(value))


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, str) and one for one in value)


def _number(default: float | None = None, high: float = 1e9) -> Key:
    return Key(f"a number above 0, at most {high:g}", lambda value: _is_number(value, 1e-9, high), default)


def _whole(default: int, low: int = 1) -> Key:
    must = f"a whole number, at least {low}"
    return Key(must, lambda value: isinstance(value, int) and _is_number(value, low, 1e9), default)


def _text(default: str = "") -> Key:
    return Key("a text in quotation marks", lambda value: isinstance(value, str) and bool(value), default)


def _texts(*default: str) -> Key:
    return Key('a list of texts: ["a", "b"]', _are_texts, list(default))


def _time(default: str) -> Key:
    return Key('a time of day such as "07:30"', _is_time, default)


def _one_of(*words: str) -> Key:
    return Key(f"one of {', '.join(words)}", lambda value: value in words, words[0])


def _boxes() -> Key:
    def fits(value: Any) -> bool:
        return isinstance(value, dict) and all(
            isinstance(box, list) and len(box) == 4 and all(_is_number(edge, -180, 180) for edge in box)
            for box in value.values()
        )

    return Key("a box for each code: { KEN = [west, south, east, north] }", fits, {})


_FLAG: Final = Key("true or false", lambda value: isinstance(value, bool), True)
_COMMON: Final[Mapping[str, Key]] = {
    "on": _FLAG,
    "action": Key("note or hold", lambda value: value in ("note", "hold"), "note"),
    "mostly": _number(1.0, high=1),
}
_TIMES: Final[Mapping[str, Key]] = {"start": _text(), "end": _text()}
#: Keys of each rule beside those of all rules.
KEYS: Final[Mapping[str, Mapping[str, Key]]] = {
    "duplicate": {"least": _whole(10)},
    "near": {
        "share": _number(0.85, high=1),
        "least": _whole(10),
        "within": _texts("enumerator", "day"),
        "largest": _whole(300, low=2),
        "enumerator": _text("_submitter"),
    },
    "clock": {**_TIMES, "minutes": _number(60)},
    "hours": {"start": _text(), "from": _time("06:00"), "to": _time("21:00")},
    "speed": {
        **_TIMES,
        "time": _one_of("clock", "audit"),
        "seconds": _number(),
        "seconds_per_answer": _number(),
        "of_median": _number(0.5, high=1),
        "least": _whole(5),
        "smallest": _whole(10, low=10),
    },
    "straight": {"items": _whole(5, low=3), "choices": _whole(3, low=2)},
    "digits": {
        "columns": _texts(),
        "enumerator": _text("_submitter"),
        "index": _number(175, high=500),
        "from": Key("a whole number", lambda value: isinstance(value, int) and not isinstance(value, bool)),
        "to": Key("a whole number", lambda value: isinstance(value, int) and not isinstance(value, bool)),
        "smallest": _whole(50, low=50),
    },
    "outlier": {
        "columns": _texts(),
        "country": _text(),
        "z": _number(3.5),
        "log": Key("true or false", _FLAG.fits, False),
        "smallest": _whole(30, low=10),
    },
    "blanks": {
        "enumerator": _text("_submitter"),
        "more": _number(0.2, high=1),
        "smallest": _whole(10, low=10),
    },
    "point": {"accuracy": _number()},
    "country": {"country": _text(), "margin": _number(0.1, high=45), "boxes": _boxes()},
    "cluster": {
        "column": _text(),
        "enumerator": _text("_submitter"),
        "metres": _number(20, high=10_000),
        "submissions": _whole(5, low=3),
    },
}
#: Rules that need no tuning: they run where nothing is written.
ALWAYS: Final = ("duplicate", "clock", "point")


@dataclass(frozen=True)
class Settings:
    """One rule as it is to run.

    Args:
        name: of the rule, such as `near`.
        where: for messages of errors.
        asked: somebody wrote its table; what it needs must be there then.
        values: of every key, all of the right kind.
    """

    name: str
    where: str
    asked: bool
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def action(self) -> Action:
        """What becomes of a submission that breaks it."""
        return "hold" if self.values["action"] == "hold" else "note"

    def number(self, key: str) -> float:
        """A number; 0 where none is written and there is no default."""
        return float(self.values[key] or 0)

    def text(self, key: str) -> str:
        """A text; empty where none is written."""
        return str(self.values.get(key) or "")

    def texts(self, key: str) -> list[str]:
        """A list of texts, each once."""
        return list(dict.fromkeys(str(one) for one in self.values[key]))


def read_settings(form_id: str, tables: Mapping[str, Any]) -> tuple[list[Settings], list[ConfigError]]:
    """The rules that run, each with all its settings, and everything that is wrong with the others.

    Args:
        form_id: names the file in messages.
        tables: what stands under `[quality.<name>]`.

    Returns:
        Rules, and problems: CONFIG-070 (no such rule), CONFIG-071 (no such key), CONFIG-072 (not what the key takes).
    """
    at = place(Path(f"{form_id}.toml"))
    wrong = {name: list(_wrong(name, f"{at}, [quality.{name}]", written)) for name, written in tables.items()}
    wanted = [name for name in KEYS if (name in tables or name in ALWAYS) and not wrong.get(name)]
    rules = [_settings(name, f"{at}, [quality.{name}]", tables.get(name)) for name in wanted]
    return [rule for rule in rules if rule.values["on"]], [error for some in wrong.values() for error in some]


def near(word: str, known: Iterable[str]) -> str:
    """What somebody may have meant, else all that there is."""
    names = list(known)
    found = difflib.get_close_matches(word, names, 1)
    return f"Did you mean {found[0]}?" if found else f"There are: {', '.join(names)}."


def _wrong(name: str, where: str, written: Any) -> Iterator[ConfigError]:
    if name not in KEYS:
        yield ConfigError("CONFIG-070", where, "There is no quality rule of this name.", near(name, KEYS))
        return
    if not isinstance(written, dict):
        yield ConfigError("CONFIG-072", where, "This is not a table.", f"Write [quality.{name}] with keys below it.")
        return
    keys = {**_COMMON, **KEYS[name]}
    for key, value in written.items():
        if key not in keys:
            yield ConfigError("CONFIG-071", where, f"The rule has no key {key}.", near(key, keys))
        elif not keys[key].fits(value):
            yield ConfigError("CONFIG-072", where, f"{key} is not what it must be.", f"Write {keys[key].must}.")


def _settings(name: str, where: str, written: Mapping[str, Any] | None) -> Settings:
    values = {key: one.default for key, one in {**_COMMON, **KEYS[name]}.items()} | dict(written or {})
    return Settings(name, where, written is not None, values)
