"""Made-up submissions of a form, one after the other, and what they did not reach."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

from dialogkit.forms.simulating.asked import asked
from dialogkit.forms.simulating.chart import Chart
from dialogkit.forms.simulating.goals import Impossible
from dialogkit.forms.simulating.judged import Offence, offences
from dialogkit.forms.simulating.steering import Plan, Steering
from dialogkit.forms.simulating.tally import Tally
from dialogkit.forms.simulating.walk import Phone, Walk
from dialogkit.logic.answers import Facts
from dialogkit.logic.form_logic import FormLogic
from dialogkit.logic.settle import settle
from dialogkit.model.form import BuiltForm
from dialogkit.model.submission import Answers
from dialogkit.model.synthetic import DEVICE, synthetic_id

_ATTEMPTS: Final = 6
#: How many of a hundred submissions are not steered anywhere.
_ADRIFT: Final = 10


@dataclass(frozen=True)
class Simulated:
    """A made-up submission.

    Args:
        number: from 1.
        instance_id: says that it is synthetic.
        answers: canonical.
        phone: who made it, and when.
        offences: rules that it breaks although no way was found to keep them; empty nearly always.
    """

    number: int
    instance_id: str
    answers: Answers
    phone: Phone
    offences: tuple[Offence, ...] = ()


@dataclass(frozen=True)
class Report:
    """What a run reached.

    Args:
        submissions: how many were made.
        unreached: question or section that no submission reached → why, as far as it can be told.
        unsatisfied: question → in how many submissions no value was found that its constraint and filter allow; also
            where the submission then went another way, if none was ever found.
        never_offered: question → choices of its list that its filter never offered.
        undecided: `path: part` → why it cannot be decided.
        broken: submissions that break a rule of the form all the same.
    """

    submissions: int
    unreached: Mapping[str, str]
    unsatisfied: Mapping[str, int]
    never_offered: Mapping[str, Sequence[str]]
    undecided: Mapping[str, str]
    broken: int


@dataclass
class Simulator:
    """Makes submissions of one form; the same seed gives the same submissions.

    Args:
        built: the form with its XForm.
        seed: of all chance.
        now: the moment after which no submission was made, in the zone of its phones.
        media: rows of the files that the form reads.
    """

    built: BuiltForm
    seed: int
    now: datetime
    media: Mapping[str, Sequence[Mapping[str, str]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.logic = FormLogic(self.built.form)
        self.asked = asked(self.built)
        self._chart = Chart(self.built.form, self.logic, self.asked)
        self._steering = Steering(self._chart)
        self.tally = Tally()
        self._made = self._broken = 0
        self._targets = [item.path for item in self._chart.order]

    def submissions(self, count: int) -> Iterator[Simulated]:
        """That many submissions, each with a source of chance of its own."""
        for number in range(1, count + 1):
            yield self._one(number)

    def report(self) -> Report:
        """What the submissions made so far did not reach, in the order of the form."""
        unreached = {path: self._why(path) for path in self._targets if not self.tally.reached[path]}
        never = {path: n for path, n in self.tally.given_up.items() if not self.tally.answered[path]}
        undecided = {**self._chart.undecided, **self.tally.undecided}
        return Report(
            submissions=self._made,
            unreached=unreached,
            unsatisfied=dict(sorted({**never, **self.tally.unsatisfied}.items())),
            never_offered=dict(self._never_offered()),
            undecided={f"{path}: {part}": reason for (path, part), reason in sorted(undecided.items())},
            broken=self._broken,
        )

    def _never_offered(self) -> Iterator[tuple[str, list[str]]]:
        for path, offered in self.tally.offered.items():
            listed = self.built.form.choice_lists.get(self.built.form.by_path[path].list_name, ())
            missing = [choice.name for choice in listed if choice.name not in offered]
            if missing:
                yield path, missing

    def _one(self, number: int) -> Simulated:
        form = self.built.form
        rng = Random(f"{form.form_id}\0{form.version}\0{self.seed}\0{number}")  # noqa: S311 - chance that can be had again
        facts = Facts(self.now - timedelta(seconds=rng.randrange(3600)), media=self.media)
        phone = Phone(facts, f"{DEVICE}{rng.getrandbits(40):010x}", number)
        plan = self._plan(rng)
        found: list[tuple[Walk, Answers, list[Offence]]] = []
        while len(found) < _ATTEMPTS and (not found or found[-1][2]):
            if len(found) > _ATTEMPTS // 2:  # where it leads may be what cannot be
                plan = self._steering.adrift(rng)
            walk = Walk(self._chart, self._steering, self.tally, rng, phone, plan)
            found.append((walk, *self._checked(walk, facts)))
        self.tally.given_up.update({path for walk, _, _ in found for path in walk.unsatisfied})
        walk, answers, broken = min(found, key=lambda one: len(one[2]))
        self._count(walk, broken)
        instance_id = synthetic_id(form.form_id, form.version, str(self.seed), str(number))
        return Simulated(number, instance_id, answers, phone, tuple(broken))

    def _checked(self, walk: Walk, facts: Facts) -> tuple[Answers, list[Offence]]:
        root = walk.fill()
        answers: Any = root.answers()
        broken = offences(self.built.form, answers, facts, self.logic)
        if any(one.rule == "FORM-CALCULATION" for one in broken):
            # Calculations that read later answers, round in a circle: once more from the top.
            settle(self.logic, root, facts)
            answers = root.answers()
            broken = offences(self.built.form, answers, facts, self.logic)
        return answers, broken

    def _plan(self, rng: Random) -> Plan:
        if not self._targets or rng.randrange(100) < _ADRIFT:
            return self._steering.adrift(rng)
        for _ in range(3):
            target = self.tally.target(self._targets, rng.random())
            self.tally.aimed[target] += 1
            for _ in range(4):
                try:
                    return self._steering.plan(target, rng)
                except Impossible:
                    pass
        return self._steering.adrift(rng)

    def _count(self, walk: Walk, broken: Sequence[Offence]) -> None:
        self._made += 1
        self._broken += bool(broken)
        self.tally.reached.update(set(walk.reached))
        # Also calculations whose constraint the other answers never met.
        self.tally.unsatisfied.update({*walk.unsatisfied, *(one.path for one in broken)})

    def _why(self, path: str) -> str:
        form = self.built.form
        for one in (*(section.path for section in form.sections_above(path)), path):
            told = self._chart.undecided.get((one, "relevant")) or self.tally.undecided.get((one, "relevant"))
            if told:
                return f"the relevance of {one} cannot be decided: {told}"
        if self.tally.given_up[path] and not self.tally.answered[path]:
            return "no value was found that its constraint and filter allow, so submissions go another way"
        reason = self._steering.reason(path, Random(self.seed))  # noqa: S311 - as above
        return reason or "no submission of this run reached it: a larger number may"
