"""How the result of a landing is shown, by `land`, `run` and `demo`."""

from __future__ import annotations

from collections.abc import Sequence

from dialogkit.cli import output
from dialogkit.model.report import Landed

_COUNTS = ("pulled", "accepted", "held", "refused", "already_known", "deleted")


def show_landed(landed: Sequence[Landed], *, as_json: bool = False) -> None:
    """Counts on stdout; rules that could not be evaluated on stderr."""
    rows = [one.as_dict() for one in landed if not one.again]
    if as_json:
        output.data(rows)
    elif rows:
        output.table(
            ["form", *(name.replace("_", " ") for name in _COUNTS)],
            [[row["form_id"], *(row[name] for name in _COUNTS)] for row in rows],
        )
    elif not landed:
        output.say("Nothing new to land.")
    _show_again([one for one in landed if one.again])
    for rule in (rule for one in landed for rule in one.not_evaluated):
        output.say(f"note[{rule.code}] {rule.path}\n  The rule could not be evaluated.\n  {rule.fix}")
    for form_id, count in {one.form_id: one.undecided for one in landed}.items():
        if count:
            output.say(
                f"{form_id}: rules that stored answers cannot decide, in part or at all: {count}; why: "
                f"dialogkit rules list {form_id} --undecided"
            )
    for rule in (rule for one in landed for rule in one.noted):
        output.say(f"note[{rule.code}]\n  {rule.message['en']} (rows: {rule.violations})")
    if any(one.held for one in landed):
        output.say("Some submissions are held: see why with dialogkit held list")


def _show_again(landed: Sequence[Landed]) -> None:
    for one in landed:
        output.say(
            f"{one.form_id}: landed again after a correction: {one.pulled} "
            f"(accepted: {one.accepted}, held: {one.held}, refused: {one.refused})"
        )
