"""Random submissions that reach deep: those that show JavaRosa something new are the parents of the next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from random import Random
from typing import Final

from dialogkit.model.form import BuiltForm
from dialogkit.model.submission import Answers
from tests.oracle.harness import NOW, Oracle, Told, ToldForm
from tests.oracle.instances import instance_of, plain
from tests.oracle.randomly import Randomly

_ROUNDS: Final = 10


def explore(oracle: Oracle, built: BuiltForm, number: int, seed: int, now: str = NOW) -> ToldForm:
    """JavaRosa's word on as many random submissions of a form.

    A third is fresh, the others are children of those that reached something new.

    Args:
        oracle: is asked what each submission reaches.
        built: the form.
        number: of submissions.
        seed: the same gives the same submissions.
        now: the moment of the submissions.
    """
    source = Randomly(built.form, seed, date.fromisoformat(now[:10]))
    chance = Random(f"{built.form.form_id} {seed}")
    found: list[Told] = []
    parents: list[tuple[int, Answers]] = []
    seen: set[tuple[str, str, object]] = set()
    while len(found) < number:
        size = min(max(1, number // _ROUNDS), number - len(found))
        fresh = size if not parents else size // 3
        some = source.submissions(fresh)
        some += [source.mutated(_fittest(chance, parents)) for _ in range(size - fresh)]
        told = oracle.judge(built, [instance_of(built, one) for one in some], now)
        if told.error:
            return told
        for answers, one in zip(some, told.submissions, strict=True):
            new = set(_reached(one)) - seen
            if new:
                seen |= new
                parents.append((sum(node.relevant for node in one.nodes.values()), answers))
        found += told.submissions
    return ToldForm(tuple(found))


def _fittest(chance: Random, parents: Sequence[tuple[int, Answers]]) -> Answers:
    """Of a few, the one with the most relevant nodes: conditions come true one after the other."""
    some = chance.sample(parents, min(len(parents), 4))
    return max(some, key=lambda one: one[0])[1]


def _reached(told: Told) -> Iterator[tuple[str, str, object]]:
    for place, node in told.nodes.items():
        path = plain(place)
        yield path, "relevant", node.relevant
        if node.relevant and not node.group:
            yield path, "answered", bool(node.value)
            yield path, "required", node.required
            yield path, "constraint", node.constraint
            for offered in node.chosen.values() if isinstance(node.chosen, dict) else ():
                yield path, "offered", offered
