"""Compares a judge of ours with JavaRosa, expression by expression, on submissions that JavaRosa has settled.

JavaRosa recomputes calculations when it opens a submission, and drops what is not of its type; the values that it
settles on are what both judge, so that a difference is one of logic. Nothing is skipped without being counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from dialogkit.model.form import BuiltForm, Form
from dialogkit.model.submission import Answers
from tests.oracle.harness import NOW, Judged, Told, ToldForm
from tests.oracle.instances import answers_of, plain

KINDS: Final = ("relevant", "required", "constraint", "calculation", "filter", "count")


@dataclass(frozen=True, slots=True)
class Undecided:
    """A judge's word that it cannot decide an expression, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a judge of ours says of one node (or repeat) of one submission; None where it has no such expression.

    Args:
        relevant: also by the groups above.
        required, constraint: of a relevant question; the constraint only with a value.
        calculation: the recomputed text.
        filter: whether every chosen code is in the filtered list.
        count: of a repeat: how many rows its count says; its place has no number at the end.
    """

    relevant: bool | Undecided = True
    required: bool | Undecided | None = None
    constraint: bool | Undecided | None = None
    calculation: str | Undecided | None = None
    filter: bool | Undecided | None = None
    count: int | Undecided | None = None


class Judge(Protocol):
    """A judge of ours: for each submission, its verdicts by place (`g/rep[2]/q`; a repeat's count at `g/rep`)."""

    def __call__(
        self, built: BuiltForm, answers: Sequence[Answers], now: str, /
    ) -> Sequence[Mapping[str, Verdict]]: ...


@dataclass(frozen=True, slots=True)
class Case:
    """What is judged: a form under a name of its own (forms share ids), and what JavaRosa says of submissions."""

    name: str
    built: BuiltForm
    told: ToldForm
    now: str = NOW


@dataclass(frozen=True, slots=True)
class Difference:
    """One comparison: a difference when the two are not the same."""

    form: str
    place: str
    kind: str
    expression: str
    javarosa: object
    ours: object
    submission: int


@dataclass
class Compared:
    """The account of a comparison.

    Args:
        compared: comparisons made, by kind.
        differences: those that failed.
        undecided: comparisons that a judge did not make, by reason.
        expressions: (form, path, kind) → the reasons why it was not decided; empty when it was. Without those that no
            submission reached.
        unreached: expressions that no submission reached.
        silent: comparisons not made because JavaRosa does not judge it, the app does (`select_one_external`), by path.
        unread: submissions that JavaRosa could not evaluate, by what it said.
        unsettled: comparisons of calculations that give another value each time (uuid, random, what reads them), by
            path; they are compared too: what reads a uuid reads the one that stands there.
        unloaded: forms that JavaRosa cannot load, by what it said.
    """

    compared: Counter[str] = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)
    undecided: Counter[str] = field(default_factory=Counter)
    expressions: dict[tuple[str, str, str], set[str]] = field(default_factory=dict)
    unreached: set[tuple[str, str, str]] = field(default_factory=set)
    silent: Counter[str] = field(default_factory=Counter)
    unread: Counter[str] = field(default_factory=Counter)
    unsettled: Counter[str] = field(default_factory=Counter)
    unloaded: dict[str, str] = field(default_factory=dict)

    @property
    def share(self) -> float:
        """The share of expressions that were decided each time."""
        return sum(not why for why in self.expressions.values()) / max(1, len(self.expressions))

    def summary(self) -> str:
        """The account in a few lines, for people."""
        lines = [
            f"compared {self.compared.total()}: {dict(self.compared)}",
            f"expressions {len(self.expressions)}, decided {self.share:.1%}; unreached {len(self.unreached)}",
            f"undecided: {dict(self.undecided.most_common(12))}",
            f"JavaRosa failed: {dict(self.unread.most_common(8))}; unsettled: {dict(self.unsettled.most_common(8))}",
            f"JavaRosa silent: {dict(self.silent)}; not loaded: {self.unloaded}",
            f"differences {len(self.differences)}",
        ]
        seen: Counter[tuple[str, str, str]] = Counter()
        for one in self.differences:
            key = (one.form, plain(one.place), one.kind)
            seen[key] += 1
            if seen[key] == 1:
                lines.append(f"  {one}")
        return "\n".join(lines)


def compare(judge: Judge, case: Case, account: Compared) -> None:
    """Let a judge of ours judge the answers that JavaRosa holds, and account for every expression."""
    form = case.built.form
    written = _written(form)
    account.unreached |= {(case.name, *key) for key, expression in written.items() if expression}
    told = case.told
    if told.error:
        account.unloaded[case.name] = told.error
        return
    read = [(number, one) for number, one in enumerate(told.submissions) if not one.error]
    account.unread.update(f"{case.name}: {one.error}" for one in told.submissions if one.error)
    ours = judge(case.built, [answers_of(form, one) for _, one in read], case.now)
    for (number, theirs), mine in zip(read, ours, strict=True):
        for place, kind, said, expected in _pairs(form, theirs, mine, written):
            if place in theirs.unsettled:
                account.unsettled[f"{case.name}: {plain(place)}"] += 1
            expression = written[plain(place), kind]
            _account(account, Difference(case.name, place, kind, expression, expected, said, number))


def _account(account: Compared, one: Difference) -> None:
    key = (one.form, plain(one.place), one.kind)
    if one.expression:
        account.unreached.discard(key)
        account.expressions.setdefault(key, set())
    if isinstance(one.ours, Undecided):
        account.undecided[f"{one.kind}: {one.ours.reason}"] += 1
        account.expressions.setdefault(key, set()).add(one.ours.reason)
        return
    if one.kind == "filter" and one.javarosa is None:
        account.silent[f"{one.form}: {plain(one.place)}"] += 1
        return
    account.compared[one.kind] += 1
    if one.ours != one.javarosa:
        account.differences.append(one)


def _written(form: Form) -> Mapping[tuple[str, str], str]:
    """The expressions of a form by path and kind; a node without relevance of its own stands with an empty one."""
    found: dict[tuple[str, str], str] = {}
    for question in form.questions:
        found[question.path, "relevant"] = question.relevant
        found[question.path, "required"] = question.required
        found[question.path, "constraint"] = question.constraint
        # One with a trigger is made when that answer changes: what is stored stands.
        found[question.path, "calculation"] = "" if question.trigger else question.calculation
        found[question.path, "filter"] = question.choice_filter
    for section in form.sections:
        found[section.path, "relevant"] = section.relevant
        found[section.path, "count"] = section.repeat_count
    return found


def _pairs(
    form: Form, theirs: Told, mine: Mapping[str, Verdict], written: Mapping[tuple[str, str], str]
) -> Iterator[tuple[str, str, object, object]]:
    """Place, kind, what we say and what JavaRosa says, of every expression of a submission."""
    for place, node in theirs.nodes.items():
        path = plain(place)
        if (path, "relevant") not in written:
            continue
        verdict = mine.get(place, Verdict(relevant=Undecided("the judge does not name this node")))
        yield place, "relevant", verdict.relevant, node.relevant
        if node.relevant and not node.group and path in form.by_path:
            yield from _of_question(place, node, verdict, {kind: written[path, kind] for kind in KINDS[:-1]})
    for count in theirs.counts:
        above = theirs.nodes.get(count.path.rpartition("/")[0], Judged(True))
        if above.relevant and written.get((plain(count.path), "count")):
            yield count.path, "count", mine.get(count.path, Verdict()).count, count.count


def _of_question(
    place: str, node: Judged, verdict: Verdict, written: Mapping[str, str]
) -> Iterator[tuple[str, str, object, object]]:
    if written["required"]:
        yield place, "required", verdict.required, node.required
    if written["constraint"] and node.value:
        yield place, "constraint", verdict.constraint, node.constraint
    if written["calculation"]:
        yield place, "calculation", verdict.calculation, node.value
    if written["filter"] and node.value:
        offered = node.chosen if not isinstance(node.chosen, dict) else all(node.chosen.values())
        yield place, "filter", verdict.filter, offered
