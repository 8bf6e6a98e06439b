"""Review: set review states, comment, and correct answers of single submissions on the server they came from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from dialogkit.errors import ServerError, ServerRefused, ServerUnreachable, WarehouseError
from dialogkit.forms.versions import find_version
from dialogkit.model.form import Form
from dialogkit.model.host import ReviewServer
from dialogkit.steps.review_checks import misfits, not_recalculated
from dialogkit.steps.servers import review_of
from dialogkit.warehouse.connect import reading
from dialogkit.warehouse.history import Current, check_history, current_of
from dialogkit.workspace import Workspace

#: After these there is no use in asking for the next submission: the key or its rights are wrong.
_HOPELESS: Final = ("SERVER-002", "SERVER-003", "SERVER-060", "SERVER-061")


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants of each submission.

    Args:
        state: one of `REVIEW_STATES`; empty leaves it.
        comment: empty for none.
        changes: full path → new text; empty takes the answer away.
    """

    state: str = ""
    comment: str = ""
    changes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Change:
    """One line of what would be sent: never an answer, neither the old one nor the new one."""

    submission_id: str
    what: str
    before: str
    after: str


@dataclass(frozen=True)
class Plan:
    """What would be sent.

    Args:
        form_id: of the form.
        server: where to.
        wish: what for each submission.
        submissions: id → the form that it was made with; None when nothing is corrected.
        changes: in words.
        stale: paths of calculated questions that use a corrected one and stay as they are.
    """

    form_id: str
    server: ReviewServer
    wish: Wish
    submissions: Mapping[str, Form | None]
    changes: tuple[Change, ...]
    stale: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of one submission: `error` is None where all was taken; `corrected`: the correction was."""

    submission_id: str
    corrected: bool
    error: ServerError | None


def plan_review(workspace: Workspace, form_id: str, ids: Sequence[str], wish: Wish) -> Plan:
    """What would be sent, checked against the warehouse and the form. Nothing is asked of the server.

    Args:
        workspace: where.
        form_id: of the form.
        ids: whole ids or their beginnings.
        wish: what for each of them.

    Raises:
        ConfigError: the form's server takes no reviews, or its key is not set.
        ServerRefused: SERVER-110, SERVER-111 the server keeps no such thing; SERVER-113, SERVER-114 or SERVER-118 a
            correction does not fit the form, with all others that do not.
        WarehouseError: WAREHOUSE-034 no such submission; WAREHOUSE-035 it came from elsewhere.
    """
    server = review_of(workspace, form_id)
    server.check(wish.state, wish.comment)
    found = _found(workspace, form_id, ids, server.name)
    forms = {one.submission_id: _form(workspace, form_id, one) if wish.changes else None for one in found}
    some = [form for form in forms.values() if form]
    problems = list(dict.fromkeys(problem for form in some for problem in misfits(form, wish.changes)))
    if problems:
        last = problems[-1]
        raise ServerRefused(last.code, last.where, f"{last.message} Nothing was sent.", last.fix, tuple(problems[:-1]))
    changes = tuple(line for one in found for line in _lines(one, forms[one.submission_id], wish))
    stale = dict.fromkeys(path for form in some for path in not_recalculated(form, wish.changes))
    return Plan(form_id, server, wish, forms, changes, tuple(stale))


def send_review(plan: Plan) -> Iterator[Sent]:
    """Send it, one submission after the other. Ends early where the server is gone or the key is of no use."""
    for submission_id, form in plan.submissions.items():
        sent = _send(plan, submission_id, form)
        yield sent
        if isinstance(sent.error, ServerUnreachable) or (sent.error and sent.error.code in _HOPELESS):
            return


def refused_of(plan: Plan, sent: Sequence[Sent]) -> ServerRefused | None:
    """The error that tells how many were not taken; None when all were."""
    taken = sum(one.error is None for one in sent)
    if taken == len(plan.submissions):
        return None
    return ServerRefused(
        "SERVER-119",
        f"{plan.server.name}, {plan.form_id}",
        f"{len(plan.submissions) - taken} of {len(plan.submissions)} submissions were not changed as asked.",
        "See the reasons above. Those that were taken need not be sent again.",
    )


def _send(plan: Plan, submission_id: str, form: Form | None) -> Sent:
    wish, comment, corrected = plan.wish, plan.wish.comment, False
    try:
        if form is not None and wish.changes:
            plan.server.correct(form, submission_id, wish.changes, comment)
            # With the first request: a server that keeps no comments then refuses before anything is changed.
            corrected, comment = True, ""
        if wish.state or comment:
            plan.server.review(plan.form_id, submission_id, wish.state, comment)
    except ServerError as error:
        return Sent(submission_id, corrected, error)
    return Sent(submission_id, corrected, None)


def _found(workspace: Workspace, form_id: str, ids: Sequence[str], server: str) -> list[Current]:
    with reading(workspace.warehouse) as db:
        check_history(db, workspace.warehouse.name)
        found = dict.fromkeys(current_of(db, form_id, one) for one in ids)
    for one in found:
        if one.server != server:
            raise WarehouseError(
                "WAREHOUSE-035",
                f"{form_id}, submission {one.submission_id}",
                f"It came {f'from {one.server}' if one.server else 'by an import'}, not from {server}.",
                "Change it where it came from.",
            )
    return list(found)


def _form(workspace: Workspace, form_id: str, one: Current) -> Form:
    form = find_version(workspace.versions, form_id, one.form_version)
    if form is None:
        raise ServerRefused(
            "SERVER-114",
            f"{form_id}, submission {one.submission_id}",
            "It cannot be corrected from here: this workspace does not know its version of the form.",
            "Correct it on the server, then pull.",
        )
    return form


def _lines(one: Current, form: Form | None, wish: Wish) -> Iterator[Change]:
    if wish.state:
        yield Change(one.submission_id, "review state", one.review_state or "none", wish.state)
    if wish.comment:
        yield Change(one.submission_id, "comment", "", f"{len(wish.comment)} characters")
    for path, text in wish.changes.items() if form else ():
        label = next(iter(form.by_path[path].labels.values()), "") if form else ""
        what = f"{path} ({label})" if label else path
        yield Change(one.submission_id, what, "not shown", f"{len(text)} characters" if text.strip() else "emptied")
