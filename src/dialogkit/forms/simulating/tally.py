"""What the submissions made so far have reached, and what stood in the way of the rest."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence


class Tally:
    """Counts over all submissions of a run."""

    def __init__(self) -> None:
        #: How often a question or section was relevant.
        self.reached: Counter[str] = Counter()
        #: How often a question has been given an answer.
        self.answered: Counter[str] = Counter()
        #: How often a submission was steered to it.
        self.aimed: Counter[str] = Counter()
        #: How often no value was found although one was required.
        self.unsatisfied: Counter[str] = Counter()
        #: The same, also where another try of that submission did without it.
        self.given_up: Counter[str] = Counter()
        #: Why an expression could not be decided, by path and part.
        self.undecided: dict[tuple[str, str], str] = {}
        #: The choices that a filter offered at least once.
        self.offered: defaultdict[str, set[str]] = defaultdict(set)
        self._chosen: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def chose(self, path: str, value: str) -> None:
        """Count the choices of an answer."""
        self._chosen[path].update(value.split())

    def by_use(self, path: str, codes: Iterable[str]) -> Sequence[str]:
        """The codes, those first that were chosen least."""
        used = self._chosen[path]
        return sorted(codes, key=lambda code: used[code])

    def target(self, paths: Sequence[str], noise: float) -> str:
        """What was reached and aimed at least; `noise`, from 0 to 1, chooses between equals."""
        least = min(self.reached[path] + 3 * self.aimed[path] for path in paths)
        last = [path for path in paths if self.reached[path] + 3 * self.aimed[path] <= least + 1]
        return last[int(noise * len(last))]
