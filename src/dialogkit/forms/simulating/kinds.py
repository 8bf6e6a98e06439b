"""The known ways to break a submission, and what must find each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from dialogkit.forms.simulating.judged import Offence
from dialogkit.forms.simulating.places import Place, opens, places, rows_in
from dialogkit.forms.simulating.scene import Broken, Scene
from dialogkit.logic.answers import Row
from dialogkit.logic.parse import Binary, Name, NotDecidable, Text, parse
from dialogkit.logic.values import same_value
from dialogkit.model.form import Section

UNKNOWN: Final = "made_up_choice"
_NUMBERS: Final = ("integer", "decimal")
_BIG: Final = (101, 1_001, 10_001, 1_000_001, 999_999_999)
_SMALL: Final = (0, -1, -1_001, -1_000_001)


@dataclass(frozen=True)
class Kind:
    """A way to break a submission: what it is in words, and how it is done (None: no place for it here)."""

    about: str
    plant: Callable[[Scene], Broken | None]


def _required_blank(scene: Scene, in_row: bool) -> Broken | None:
    def blank(place: Place) -> str | None:
        needed = scene.logic.required(place.question.path, place.row, scene.phone.facts)
        return "" if needed and bool(place.row.repeat) == in_row else None

    return scene.first(scene.answered(), "FORM-REQUIRED", blank)


def _hidden(scene: Scene) -> Iterator[Place]:
    found = [
        place
        for place in places(scene.form, scene.root)
        if place.question.path not in scene.asked.calculated
        and place.question.path in scene.asked.shown
        and scene.logic.hidden(place.question.path, place.row)
    ]
    yield from scene.rng.sample(found, len(found))


def _irrelevant(scene: Scene, by_section: bool) -> Broken | None:
    def text(place: Place) -> str | None:
        own = place.question.path in place.row.hidden
        return None if own == by_section else _any_value(scene, place)

    return scene.first(list(_hidden(scene)), "FORM-RELEVANT", text)


def _any_value(scene: Scene, place: Place) -> str | None:
    """An answer of the right type that the constraint allows and the list offers."""
    if place.question.type in ("select_one", "select_multiple"):
        offered = scene.offered(place)
        return next((one for one in offered if len(one.split()) == 1 and scene.allows(place, one)), None)
    plain = {"integer": ("1", "2000", "12"), "decimal": ("1", "1.5"), "text": ("made up", "made up words", "ABC-12")}
    plain["date"] = (scene.phone.now.date().isoformat(),)
    return next((one for one in plain.get(place.question.type, ()) if scene.allows(place, one)), None)


def _irrelevant_row(scene: Scene) -> Broken | None:
    """A row in a repeat that is not asked: found once, in the row that holds it."""
    for section, row in _repeats(scene):
        rows, own = row.below.get(section.path), section.relevant.strip()
        if section.repeat_count or rows or not own or opens(scene.logic, row, section.path, scene.phone.facts):
            continue
        new = row.add(section.path)
        for question in scene.form.questions:
            place = Place(new, question)
            within = scene.form.repeat_of(question.path) == section.path
            text = _any_value(scene, place) if within else None
            if text and question.path in scene.asked.shown and not question.relevant:
                new.values[question.path] = text
                expected = (Offence("FORM-RELEVANT", section.path, row.label),)
                return Broken(expected, kept=frozenset({(new.label, question.path)}))
        row.below[section.path].pop()
    return None


def _repeats(scene: Scene) -> Iterator[tuple[Section, Row]]:
    """Each repeat with each row that holds it."""
    found = [
        (section, row)
        for row in rows_in(scene.root)
        for section in scene.form.sections
        if section.kind == "repeat" and scene.form.repeat_of(section.path) == row.repeat
    ]
    yield from scene.rng.sample(found, len(found))


def _unknown_choice(scene: Scene) -> Broken | None:
    def unknown(place: Place) -> str | None:
        return UNKNOWN if scene.listed(place) and not place.question.choice_filter else None

    return scene.first(scene.answered("select_one"), "FORM-CHOICE", unknown)


def _unknown_among_several(scene: Scene) -> Broken | None:
    def unknown(place: Place) -> str | None:
        if not scene.listed(place) or place.question.choice_filter:
            return None
        chosen = place.text.split()
        texts = [" ".join([*chosen, UNKNOWN]), " ".join([*chosen[:-1], UNKNOWN])]
        return next((text for text in texts if scene.allows(place, text)), None)

    return scene.first(scene.answered("select_multiple"), "FORM-CHOICE", unknown)


def _two_for_one(scene: Scene) -> Broken | None:
    def two(place: Place) -> str | None:
        codes = [code for code in scene.listed(place) if len(code.split()) == 1]
        several = len(codes) > 1 and not place.question.choice_filter
        return " ".join(scene.rng.sample(codes, 2)) if several else None

    return scene.first(scene.answered("select_one"), "FORM-CHOICE", two)


def _outside_filter(scene: Scene) -> Broken | None:
    def outside(place: Place) -> str | None:
        offered = scene.offered(place)
        others = [code for code in scene.listed(place) if code not in offered and scene.allows(place, code)]
        return scene.rng.choice(others) if others and offered and place.question.choice_filter else None

    return scene.first(scene.answered("select_one", "select_multiple"), "FORM-FILTER", outside)


def _numbers(candidates: Sequence[int]) -> Callable[[Scene], Broken | None]:
    texts = [str(one) for one in candidates]
    return lambda scene: scene.first(
        scene.answered(*_NUMBERS), "FORM-CONSTRAINT", lambda place: scene.refused(place, texts)
    )


def _day(days: int) -> Callable[[Scene], Broken | None]:
    def plant(scene: Scene) -> Broken | None:
        text = (scene.phone.now.date() + timedelta(days=days)).isoformat()
        return scene.first(scene.answered("date"), "FORM-CONSTRAINT", lambda place: scene.refused(place, [text]))

    return plant


def _too_long(scene: Scene) -> Broken | None:
    def long(place: Place) -> str | None:
        return scene.refused(place, ["made up " + "x" * 6_000]) if "length" in place.question.constraint else None

    return scene.first(scene.answered("text"), "FORM-CONSTRAINT", long)


def _too_short(scene: Scene) -> Broken | None:
    def short(place: Place) -> str | None:
        return scene.refused(place, ["x"]) if "length" in place.question.constraint else None

    return scene.first(scene.answered("text"), "FORM-CONSTRAINT", short)


def _pattern(scene: Scene) -> Broken | None:
    def wrong(place: Place) -> str | None:
        return scene.refused(place, ["made up \N{SNOWMAN}"]) if "regex" in place.question.constraint else None

    return scene.first(scene.answered("text", "barcode"), "FORM-CONSTRAINT", wrong)


def _exclusive(scene: Scene) -> Broken | None:
    def both(place: Place) -> str | None:
        codes = scene.offered(place)
        pairs = [f"{one} {other}" for one in codes[:40] for other in codes[-2:] if one != other]
        return scene.refused(place, pairs) if "selected(" in place.question.constraint else None

    return scene.first(scene.answered("select_multiple"), "FORM-CONSTRAINT", both)


def _too_many(scene: Scene) -> Broken | None:
    def every(place: Place) -> str | None:
        known = "count-selected" in place.question.constraint
        plain = [code for code in scene.offered(place) if code not in ("none", "prefer_not")]
        return scene.refused(place, [" ".join(plain)]) if known else None

    return scene.first(scene.answered("select_multiple"), "FORM-CONSTRAINT", every)


def _not_of_type(types: Sequence[str], text: str) -> Callable[[Scene], Broken | None]:
    return lambda scene: scene.first(scene.answered(*types), "FORM-TYPE", lambda _: text)


def _stale(scene: Scene, blank: bool) -> Broken | None:
    for place in scene.places(calculated=True):
        path = place.question.path
        try:
            found, _ = scene.logic.calculated(path, place.row, scene.phone.facts)
        except NotDecidable:
            continue
        wrong = "" if blank else "7" if found != "7" else "8"
        if not place.text or not found or same_value(wrong, found):
            continue
        place.row.values[path] = wrong
        return Broken((Offence("FORM-CALCULATION", path, place.row.label),), stale=True)
    return None


def _row_missing(scene: Scene) -> Broken | None:
    for section, row in _repeats(scene):
        if section.repeat_count and row.below.get(section.path):
            row.below[section.path].pop()
            return Broken((Offence("FORM-COUNT", section.path, row.label),))
    return None


def _row_too_many(scene: Scene) -> Broken | None:
    for section, row in _repeats(scene):
        rows = row.below.get(section.path)
        if section.repeat_count and rows:
            last = rows[-1]
            row.add(section.path).values.update(last.values)
            return Broken((Offence("FORM-COUNT", section.path, row.label),))
    return None


def _no_row(scene: Scene) -> Broken | None:
    for section, row in _repeats(scene):
        if (
            _is_gated(section)
            and row.below.get(section.path)
            and not scene.logic.hidden(section.path, row.below[section.path][0])
        ):
            row.below[section.path].clear()
            return Broken((Offence("FORM-ROWS", section.path, row.label),))
    return None


def _is_gated(section: Section) -> bool:
    """Whether its relevance is exactly `${name} = 'yes'`, as FORM-ROWS reads it."""
    try:
        match parse(section.relevant):
            case Binary("=", Name(), Text("yes")):
                return True
    except NotDecidable:
        pass
    return False


def _forged_gate(scene: Scene) -> Broken | None:
    """Consent was never given, and the calculation that opens the form says that it was."""
    gate, record = (scene.form.by_concept.get(f"consent.{name}") for name in ("gate", "record"))
    if not gate or not record or scene.root.values.get(gate.path) != "1" or not scene.root.values.get(record.path):
        return None
    del scene.root.values[record.path]
    expected = (Offence("FORM-CALCULATION", gate.path), Offence("FORM-REQUIRED", record.path))
    return Broken(expected, stale=True)


_DRIFTED: Final = "made_up_question"

KINDS: Final[Mapping[str, Kind]] = {
    "required-blank": Kind("a required question is left blank", lambda scene: _required_blank(scene, False)),
    "required-blank-in-row": Kind("the same in a row of a repeat", lambda scene: _required_blank(scene, True)),
    "irrelevant-question": Kind("answered, though its own relevance is false", lambda scene: _irrelevant(scene, False)),
    "irrelevant-group": Kind("answered inside a group that is not relevant", lambda scene: _irrelevant(scene, True)),
    "irrelevant-row": Kind("a row in a repeat that is not relevant", _irrelevant_row),
    "unknown-choice": Kind("a choice that the list does not have", _unknown_choice),
    "unknown-choice-of-several": Kind("the same among several choices", _unknown_among_several),
    "two-choices-of-one": Kind("two choices where one may be chosen", _two_for_one),
    "outside-filter": Kind("a choice that the filter does not offer", _outside_filter),
    "too-big": Kind("a number above its constraint", _numbers(_BIG)),
    "too-small": Kind("a number below its constraint", _numbers(_SMALL)),
    "future-date": Kind("a date after the day of the phone, against the constraint", _day(400)),
    "early-date": Kind("a date that the constraint finds too early", _day(-80_000)),
    "too-long": Kind("a text longer than its constraint", _too_long),
    "too-short": Kind("a text shorter than its constraint", _too_short),
    "wrong-pattern": Kind("a text unlike its pattern", _pattern),
    "exclusive-choices": Kind("two choices that exclude each other", _exclusive),
    "too-many-choices": Kind("more choices than the constraint allows", _too_many),
    "letters-in-number": Kind("letters in a number", _not_of_type(_NUMBERS, "made up")),
    "decimal-in-integer": Kind("a fraction in a whole number", _not_of_type(("integer",), "2.5")),
    "impossible-date": Kind("a day that no month has", _not_of_type(("date",), "2026-02-30")),
    "malformed-point": Kind("a point with one number", _not_of_type(("geopoint",), "0.5")),
    "point-off-the-earth": Kind("a latitude above 90", _not_of_type(("geopoint",), "91.0 0.0 0.0 5.0")),
    "stale-calculation": Kind("a calculation that does not fit its answers", lambda scene: _stale(scene, False)),
    "blank-calculation": Kind("a calculation that was emptied", lambda scene: _stale(scene, True)),
    "row-missing": Kind("fewer rows than repeat_count asks for", _row_missing),
    "row-too-many": Kind("more rows than repeat_count asks for", _row_too_many),
    "yes-without-row": Kind("a yes that opens a repeat, and no row in it", _no_row),
    "forged-gate": Kind("consent is missing, its gate says yes", _forged_gate),
    "unknown-question": Kind(
        "a question that no version of the form has",
        lambda scene: Broken((Offence("FORM-DRIFT", _DRIFTED),), unknown=_DRIFTED),
    ),
    "unknown-version": Kind(
        "a version that nobody has", lambda scene: Broken((Offence("FORM-VERSION", ""),), version="made-up-version")
    ),
    "duplicate": Kind("the answers of the submission before, under another id", lambda scene: None),
}
