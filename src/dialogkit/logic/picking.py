"""The parts of an expression that pick nodes of the submission or rows of a list."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dialogkit.logic.answers import Row
from dialogkit.logic.bind import bind_filter
from dialogkit.logic.bind_steps import around, source_of
from dialogkit.logic.lists import Lists, Sought, conditions
from dialogkit.logic.media import Entry
from dialogkit.logic.parse import NotDecidable
from dialogkit.logic.python_nodes import FormNodes
from dialogkit.logic.python_scope import Run, Scope
from dialogkit.logic.tree import ChoiceName, Column, Items, Nodes, Operation, Position, Tree
from dialogkit.logic.values import Found, NodeSet, Value, single, to_text
from dialogkit.model.form import Choice, Form, Question

Rows = Callable[[Scope], Sequence[Entry]]


class Picker:
    """Makes the functions that pick; `compiled` compiles the trees within."""

    def __init__(self, form: Form, nodes: FormNodes, lists: Lists, compiled: Callable[[Tree], Run]) -> None:
        self.form, self.of_form, self.lists, self.compiled = form, nodes, lists, compiled

    def made(self, tree: Nodes | Items | ChoiceName | Position) -> Run:
        """The function of a tree that picks."""
        match tree:
            case Nodes():
                return self.nodes(tree)
            case Items():
                return self.items(tree)
            case ChoiceName():
                return self.choice_name(tree)
            case Position():
                return self.position(tree)

    def nodes(self, tree: Nodes) -> Run:
        """The value of one node, or a set of nodes."""
        hides, read = self.of_form.hides(tree.path), self.of_form.reader(tree.path)
        base, is_section = _base(tree.within, tree.inner), tree.path not in self.form.by_path
        if tree.is_single:

            def one(scope: Scope) -> Found:
                row = base(scope)
                if hides(row):
                    return _NOTHING
                value = read(row, scope.facts)
                return NodeSet((value,), int(is_section or value != ""))

            return one
        steps = [
            (repeat, [self.compiled(test) for at, test in tree.filters if at == repeat]) for repeat in tree.repeats
        ]

        def several(scope: Scope) -> NodeSet:
            rows: list[Row] = [base(scope)]
            for repeat, tests in steps:
                rows = [row for above in rows for row in _passing(above.below.get(repeat, ()), tests, scope)]
            values = [read(row, scope.facts) for row in rows if not hides(row)]
            return NodeSet(values, len(values) if is_section else sum(value != "" for value in values))

        return several

    def value(self, tree: Nodes) -> Callable[[Scope], Value] | None:
        """The value of a tree that is one node: the quick way."""
        if not tree.is_single:
            return None
        hides, read, base = (
            self.of_form.hides(tree.path),
            self.of_form.reader(tree.path),
            _base(tree.within, tree.inner),
        )

        def one(scope: Scope) -> Value:
            row = base(scope)
            return "" if hides(row) else read(row, scope.facts)

        return one

    def position(self, tree: Position) -> Run:
        """The place of the row that a condition judges, or of a present row; 0 where that row is not relevant."""
        if not tree.repeat:
            return lambda scope: float(scope.place)
        hides, base = self.of_form.hides(tree.repeat), _base(tree.repeat, tree.inner)

        def place(scope: Scope) -> Value:
            row = base(scope)
            return 0.0 if hides(row) else float(row.place)

        return place

    def items(self, tree: Items) -> Run:
        """A column of the rows that all conditions let through."""
        rows, column = self.entries(tree), tree.column

        def values(scope: Scope) -> NodeSet:
            found = [row.get(column, "") for row in rows(scope) if not column or column in row]
            return NodeSet(found, len(found) if not column else sum(value != "" for value in found))

        return values

    def entries(self, tree: Items) -> Rows:
        """The rows of a list or file that all conditions let through."""
        steps = [self._step(one) for one in conditions(tree.filters)]

        def rows(scope: Scope) -> Sequence[Entry]:
            whole = found = self.lists.rows(tree.kind, tree.source, scope.facts)
            for column, value, test in steps:
                sought = single(value(scope)) if value and found is whole else None
                if isinstance(sought, str):
                    found = self.lists.having(whole, column, sought)
                else:
                    found = _entries_passing(found, test, scope)
            return found

        return rows

    def _step(self, condition: Tree | Sought) -> tuple[str, Run | None, Run]:
        """A condition: the column and the value to look up, where that is enough, and its test."""
        if isinstance(condition, Sought):
            test = Operation("=", Column(condition.column), condition.value)
            return condition.column, self.compiled(condition.value), self.compiled(test)
        return "", None, self.compiled(condition)

    def offered(self, question: Question) -> Callable[[Scope], Sequence[Entry]]:
        """The rows that the list or file of a select offers in its row.

        Raises:
            NotDecidable: its choices are not a list or a file of the form.
        """
        if not question.list_name or "search(" in question.appearance:
            raise NotDecidable("its choices are not a list or a file of the form")
        if question.list_name.startswith("${"):
            raise NotDecidable("its choices are the rows of a repeat")
        filters = (bind_filter(question, self.form),) if question.choice_filter else ()
        kind, source = source_of(self.form, question.list_name)
        return self.entries(Items(kind, source, "", filters))

    def choice_name(self, tree: ChoiceName) -> Run:
        """The label of a choice that the list of a question offers, in the language of the phone."""
        question, value = self.form.by_path[tree.path], self.compiled(tree.value)
        choices = {choice.name: choice for choice in self.form.choice_lists.get(question.list_name, ())}
        offered = self.offered(question)

        def label(scope: Scope) -> Value:
            code = to_text(single(value(scope)))
            row = _row_of(self.form, tree.path, scope.row)
            if not code or row is None:
                return ""
            found = next((one for one in offered(Scope(row, scope.facts)) if one.get("name") == code), None)
            if found is None:
                return ""
            return self.label(choices[code], scope) if code in choices else found.get("label", "")

        return label

    def label(self, choice: Choice, scope: Scope) -> str:
        """The label of a choice in the language of the phone."""
        language = scope.facts.language or self.form.default_language
        labels = choice.labels
        text = labels.get(language) or labels.get("") or next(iter(labels.values()), "")
        if "${" in text:
            raise NotDecidable("the label of a choice takes in an answer")
        return text


_NOTHING = NodeSet((), 0)


def _base(within: str, inner: bool) -> Callable[[Scope], Row]:
    """The present row of a repeat: of the condition that judges a row, or of the question."""

    def base(scope: Scope) -> Row:
        return (scope.inner if inner and scope.inner is not None else scope.row).around(within)

    return base


def _passing(rows: Sequence[Row], tests: Sequence[Run], scope: Scope) -> Sequence[Row]:
    """The rows that every condition lets through; each counts places in what the one before left."""
    for test in tests:
        inner, place = scope.inner, scope.place
        left = []
        try:
            for number, row in enumerate(rows, 1):
                scope.inner, scope.place = row, number
                if test(scope) is True:
                    left.append(row)
        finally:
            scope.inner, scope.place = inner, place
        rows = left
    return rows


def _entries_passing(rows: Sequence[Entry], test: Run, scope: Scope) -> Sequence[Entry]:
    item, place = scope.item, scope.place
    left = []
    try:
        for number, row in enumerate(rows, 1):
            scope.item, scope.place = row, number
            if test(scope) is True:
                left.append(row)
    finally:
        scope.item, scope.place = item, place
    return left


def _row_of(form: Form, path: str, row: Row) -> Row | None:
    """The row of a question as seen from another: the present one of shared repeats, else the first."""
    repeats = around(form, path)
    present = row
    while present.repeat not in repeats and present.above is not None:
        present = present.above
    below = repeats[repeats.index(present.repeat) + 1 :] if present.repeat in repeats else repeats
    return next(present.rows(below), None)
