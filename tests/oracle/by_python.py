"""The evaluator in Python as a judge for the comparison with JavaRosa."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from dialogkit.logic.answers import Facts
from dialogkit.logic.form_logic import FormLogic
from dialogkit.logic.media import media_rows
from dialogkit.logic.replay import Judged, replay
from dialogkit.model.form import BuiltForm, Form
from dialogkit.model.submission import Answers
from tests.oracle.differential import Undecided, Verdict
from tests.oracle.instances import place_of


def by_python(built: BuiltForm, answers: Sequence[Answers], now: str) -> Sequence[Mapping[str, Verdict]]:
    """What the evaluator says of each submission; calculations are computed anew, as a phone does."""
    facts = Facts(datetime.fromisoformat(now), media=media_rows(built.media))
    logic = FormLogic(built.form)
    return [dict(_verdicts(built.form, one, facts, logic)) for one in answers]


def _verdicts(form: Form, answers: Answers, facts: Facts, logic: FormLogic) -> Iterator[tuple[str, Verdict]]:
    for one in replay(form, answers, facts, logic, recalculate=True):
        place = place_of(form, one.path, one.row)
        if one.path in form.repeats and one.relevant is None and "relevant" not in one.undecided:
            why = one.undecided.get("repeat_count")
            yield place, Verdict(count=Undecided(why) if why else one.count)
        else:
            yield place, _verdict(one)


def _verdict(one: Judged) -> Verdict:
    why = {part: Undecided(reason) for part, reason in one.undecided.items()}
    relevant = Undecided(one.undecided.get("relevant", "?")) if one.relevant is None else one.relevant
    return Verdict(
        relevant=relevant,
        required=why.get("required", one.required),
        constraint=why.get("constraint", one.constraint),
        calculation=why.get("calculation", one.calculated),
        filter=why.get("choice_filter", one.chosen),
    )
