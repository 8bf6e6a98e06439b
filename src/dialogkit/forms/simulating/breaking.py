"""Breaks valid made-up submissions in one known way each, and says which rule must find it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Final

from dialogkit.forms.simulating.judged import Offence, offences
from dialogkit.forms.simulating.kinds import KINDS
from dialogkit.forms.simulating.places import rows_in
from dialogkit.forms.simulating.scene import Broken, Scene
from dialogkit.forms.simulating.simulator import Simulated, Simulator
from dialogkit.logic.answers import Row
from dialogkit.logic.settle import settle
from dialogkit.model.synthetic import synthetic_id

#: Places of one kind that are tried in one submission, until the planted error is alone.
_TRIES: Final = 8


@dataclass(frozen=True)
class Planted:
    """A broken submission.

    Args:
        submission: as it is written.
        kind: how it was broken; empty where nothing could be.
        expected: the rules that must find it.
        also: other rules that find something because of it; empty nearly always.
        version: that it names, where that is not the form's.
        unknown: name of a question that the form does not have.
        copy_of: the instanceID of the submission that it repeats.
    """

    submission: Simulated
    kind: str = ""
    expected: tuple[Offence, ...] = ()
    also: tuple[Offence, ...] = ()
    version: str = ""
    unknown: str = ""
    copy_of: str = ""


class Breaker:
    """Breaks the submissions of one run.

    Args:
        simulator: that made them.
        kinds: names of `KINDS`; each is planted about as often as the others.
    """

    def __init__(self, simulator: Simulator, kinds: Sequence[str]) -> None:
        self._simulator, self._kinds = simulator, list(kinds)
        self.planted: Counter[str] = Counter()
        self._before: Simulated | None = None

    def broken(self, some: Iterator[Simulated]) -> Iterator[Planted]:
        """Each submission broken in one way, in their order; one that offers no place for any kind stays valid."""
        for one in some:
            yield self._one(one)
            self._before = one

    def _one(self, valid: Simulated) -> Planted:
        rng = Random(f"break\0{valid.instance_id}")  # noqa: S311 - chance that can be had again
        for kind in sorted(rng.sample(self._kinds, len(self._kinds)), key=lambda kind: self.planted[kind]):
            found = self._as(kind, valid, rng)
            if found is not None:
                self.planted[kind] += 1
                return found
        return Planted(valid)

    def _as(self, kind: str, valid: Simulated, rng: Random) -> Planted | None:
        if kind == "duplicate":
            return self._copy(valid)
        best: Planted | None = None
        for _ in range(_TRIES):
            scene = self._scene(valid, rng)
            told = KINDS[kind].plant(scene)
            if told is None:
                break
            self._mend(scene, told)
            found = self._judged(kind, valid, scene, told)
            if found is not None and (best is None or len(found.also) < len(best.also)):
                best = found
            if best is not None and not best.also:
                break
        return best

    def _scene(self, valid: Simulated, rng: Random) -> Scene:
        root = Row.of(valid.answers)
        settle(self._simulator.logic, root, valid.phone.facts, keep=True)
        return Scene(self._simulator.built.form, self._simulator.logic, self._simulator.asked, root, valid.phone, rng)

    def _mend(self, scene: Scene, told: Broken) -> None:
        """Make everything else follow: calculations anew, and what is not asked any more is taken out."""
        kept = frozenset((one.row, one.path) for one in told.expected)
        if told.stale:
            return
        for _ in range(3):
            settle(scene.logic, scene.root, scene.phone.facts)
            if not _taken_out(scene, kept | told.kept):
                return

    def _judged(self, kind: str, valid: Simulated, scene: Scene, told: Broken) -> Planted | None:
        answers = scene.root.answers()
        found = offences(scene.form, answers, scene.phone.facts, scene.logic)
        wanted = {one for one in told.expected if one.rule in _REPLAYED}
        if not wanted <= set(found):
            return None
        also = tuple(one for one in found if one not in wanted)
        submission = replace(valid, answers=answers, offences=tuple(found))
        return Planted(submission, kind, told.expected, also, told.version, told.unknown)

    def _copy(self, valid: Simulated) -> Planted | None:
        """The submission before once more, under another id."""
        before = self._before
        if before is None:
            return None
        number = f"{valid.number}"
        again = replace(before, number=valid.number, instance_id=synthetic_id(valid.instance_id, "copy", number))
        expected = (Offence("QUALITY-DUPLICATE", ""),)
        return Planted(again, "duplicate", expected, copy_of=before.instance_id)


#: What the replay finds itself; the other rules belong to landing.
_REPLAYED: Final = frozenset(
    {
        *("FORM-REQUIRED", "FORM-RELEVANT", "FORM-CONSTRAINT", "FORM-FILTER", "FORM-CALCULATION", "FORM-COUNT"),
        "FORM-CHOICE",
    }
)


def _taken_out(scene: Scene, kept: frozenset[tuple[str, str]]) -> bool:
    """Take out answers and rows that are not asked, but for those that are kept; whether there were any."""
    hidden = scene.logic.hidden
    known = scene.form.by_path.keys()
    found = False
    for row in list(rows_in(scene.root)):
        gone = [path for path in row.values if path in known and (row.label, path) not in kept and hidden(path, row)]
        for path in gone:
            del row.values[path]
        empty = [
            repeat
            for repeat, rows in row.below.items()
            if rows and (row.label, repeat) not in kept and all(hidden(repeat, one) for one in rows)
        ]
        for repeat in empty:
            del row.below[repeat]
        found = found or bool(gone or empty)
    return found
