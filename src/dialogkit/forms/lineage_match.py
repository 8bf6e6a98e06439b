"""Follows each question through the versions of a form: which is which, how it is known, and what has to be asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeVar

from dialogkit.forms.compare_pairs import looks
from dialogkit.forms.decided import Decided
from dialogkit.forms.lineage_threads import Asked, Stand, Thread, Threads, Version
from dialogkit.model.form import Form, Question

_SHOWN: Final = 4
Item = TypeVar("Item")
Key = TypeVar("Key", bound=Hashable)


def threads_of(forms: Sequence[Form], decided: Decided) -> Threads:
    """Follow every question from the oldest version to the newest."""
    threads = Threads([Version(position, form) for position, form in enumerate(forms)])
    # A `was` that is written later holds for the earlier versions of the same question too; the newest is right.
    said = [(question.path, question.was.strip("/")) for form in forms for question in form.questions]
    was = {path: text for path, text in said if text}
    for version in threads.versions:
        _Matching(threads, version, was, decided).match()
    return threads


class _Matching:
    """The questions of one version and the threads so far: those that have no partner yet, and how one is found."""

    def __init__(self, threads: Threads, version: Version, was: Mapping[str, str], decided: Decided) -> None:
        self.threads, self.version, self.decided = threads, version, decided
        self.left = dict(version.form.by_path)
        self.free = dict.fromkeys(threads.all)
        self.was = was
        #: Questions of which somebody said what they were, in words that cannot be followed: nothing is guessed.
        self.unclear: set[str] = set()

    def match(self) -> None:
        """Every question gets its thread, or begins one."""
        self._same_path()
        if self.left and self.threads.all:
            self._decisions()
            self._was()
            self._earlier_path()
            self._same_leaf()
            self._one_concept()
            self._ask()
        for path, question in self.version.form.by_path.items():
            if path in self.left:
                thread = Thread()
                self.threads.all.append(thread)
                self._take(thread, question, "")

    def _take(self, thread: Thread, question: Question, because: str) -> None:
        thread.stands.append(Stand(self.version, question, because))
        self.threads.of[self.version.position, question.path] = thread
        self.left.pop(question.path, None)
        self.free.pop(thread, None)

    def _same_path(self) -> None:
        for thread in list(self.free):
            if question := self.left.get(thread.last.question.path):
                self._take(thread, question, "path")

    def _decisions(self) -> None:
        by_path = _index(self.free, lambda thread: thread.paths)
        for old, new in self.decided.same.items():
            found = [thread for thread in by_path.get(old, ()) if thread in self.free]
            if new in self.left and found:
                latest = max(found, key=lambda thread: (thread.last.question.path == old, thread.last.version.position))
                self._take(latest, self.left[new], "decision")

    def _was(self) -> None:
        said = {path: self.was[path] for path in self.left if path in self.was}
        if not said:
            return
        named = _Named(self.threads.all)
        claims = {path: self._claimed(named, path, text) for path, text in said.items()}
        wanted = Counter(thread for claimed in claims.values() for thread in claimed)
        for path, claimed in claims.items():
            if len(claimed) == 1 and wanted[claimed[0]] == 1:
                self._take(claimed[0], self.left[path], "was")
            elif claimed:
                self._unclear(path, f"“was” says {said[path]}, {_which(claimed)}", claimed)

    def _claimed(self, named: _Named, path: str, text: str) -> list[Thread]:
        """The threads without partner that a `was` can mean."""
        for found in named.meant(text, path):
            free = [thread for thread in found if thread in self.free]
            if free:
                return [thread for thread in free if self._allowed(thread, path)]
        key = self.version.position, path
        if not named.knows(text):
            self.threads.remarks[key] = f"“was” says {text}, which no earlier version asks"
        elif text not in (path, self.left[path].name):
            self.threads.remarks[key] = f"“was” says {text}, which is another question of this version"
            self.unclear.add(path)
        return []

    def _unclear(self, path: str, detail: str, claimed: Sequence[Thread]) -> None:
        self.unclear.add(path)
        key = self.version.position, path
        self.threads.asked[key] += [Asked(thread, path, "was", detail) for thread in claimed[:_SHOWN]]

    def _earlier_path(self) -> None:
        by_path = _index(self.free, lambda thread: thread.paths)
        for thread, question in _alone(by_path, _index(self._clear(), lambda question: [question.path])):
            self._take_if_allowed(thread, question, "path")

    def _same_leaf(self) -> None:
        old = _index(self.free, lambda thread: [thread.last.question.name] if self._just_gone(thread) else [])
        new = _index(self._clear(), lambda question: [question.name])
        for thread, question in _alone(old, new):
            if thread.last.question.type == question.type:
                self._take_if_allowed(thread, question, "name")

    def _one_concept(self) -> None:
        def alone(question: Question, version: Version) -> list[str]:
            return [question.concept] if version.concepts[question.concept] == 1 else []

        old = _index(self.free, lambda thread: alone(thread.last.question, thread.last.version))
        new = _index(self._clear(), lambda question: alone(question, self.version))
        for thread, question in _alone(old, new):
            self._take_if_allowed(thread, question, "concept")

    def _clear(self) -> list[Question]:
        """The questions without partner of which nobody said anything that cannot be followed."""
        return [question for path, question in self.left.items() if path not in self.unclear]

    def _take_if_allowed(self, thread: Thread, question: Question, because: str) -> None:
        if self._allowed(thread, question.path):
            self._take(thread, question, because)

    def _ask(self) -> None:
        """What only looks alike: each question and each thread once, what went just now first."""
        answered = [thread for thread in self.free if thread.last.question.has_answer]
        answered.sort(key=lambda thread: -thread.last.version.position)
        by_looks = _index(answered, self._looks_of_thread)
        asked: set[Thread] = set()
        for question in self._clear():
            if question.has_answer:
                alike = (thread for look in _looks(question) for thread in by_looks.get(look, ()))
                found = next((one for one in alike if one not in asked and self._allowed(one, question.path)), None)
                if found is not None:
                    asked.add(found)
                    self.threads.asked[self.version.position, question.path].append(Asked(found, question.path))

    def _looks_of_thread(self, thread: Thread) -> Iterable[Hashable]:
        # A name alone says little of what went long ago: many forms have a question “other” in every group.
        found = _looks(thread.last.question)
        return found if self._just_gone(thread) else found[:-1]

    def _just_gone(self, thread: Thread) -> bool:
        return thread.last.version.position == self.version.position - 1

    def _allowed(self, thread: Thread, path: str) -> bool:
        different = self.decided.different
        return not different or not any({(old, path), (path, old)} & different for old in thread.paths)


class _Named:
    """Threads by what a `was` can call them, the likeliest first: last path, any path, last name, any name."""

    def __init__(self, threads: Sequence[Thread]) -> None:
        self._levels = (
            _index(threads, lambda thread: [thread.last.question.path]),
            _index(threads, lambda thread: thread.paths),
            _index(threads, lambda thread: [thread.last.question.name]),
            _index(threads, lambda thread: dict.fromkeys(stand.question.name for stand in thread.stands)),
        )

    def meant(self, text: str, path: str) -> Iterator[list[Thread]]:
        """The threads of each kind of name; for a bare name those of the same section as `path` come first."""
        section = path.rpartition("/")[0]
        beside = [f"{section}/{text}"] if section and "/" not in text else []
        return (level.get(name, []) for name in (*beside, text) for level in self._levels)

    def knows(self, text: str) -> bool:
        """Whether any question was ever called so."""
        return any(text in level for level in self._levels)


def _alone(old: Mapping[Key, list[Thread]], new: Mapping[Key, list[Question]]) -> Iterator[tuple[Thread, Question]]:
    """Those of both sides that have a key which no other of their side has."""
    for key, questions in new.items():
        threads = old.get(key, [])
        if len(questions) == len(threads) == 1:
            yield threads[0], questions[0]


def _looks(question: Question) -> list[Hashable]:
    return [*sorted(looks(question)), ("name", question.name)]


def _which(threads: Sequence[Thread]) -> str:
    if len(threads) == 1:
        return "and so does another question"
    paths = [thread.last.question.path for thread in threads]
    more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
    return f"and {len(paths)} questions had that name: {', '.join(paths[:_SHOWN])}{more}"


def _index(items: Iterable[Item], keys: Callable[[Item], Iterable[Key]]) -> dict[Key, list[Item]]:
    found: dict[Key, list[Item]] = {}
    for item in items:
        for key in keys(item):
            found.setdefault(key, []).append(item)
    return found
