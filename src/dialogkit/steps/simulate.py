"""Simulate: a folder of made-up submissions of a form, valid or broken in known ways."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from dialogkit.errors import FormError
from dialogkit.files import whole_folder
from dialogkit.forms.build import build_form
from dialogkit.forms.simulating.breaking import Breaker, Planted
from dialogkit.forms.simulating.judged import Offence
from dialogkit.forms.simulating.kinds import KINDS
from dialogkit.forms.simulating.simulator import Report, Simulator
from dialogkit.forms.simulating.written import files_of, instance_of
from dialogkit.logic.media import media_rows
from dialogkit.model.form import BuiltForm
from dialogkit.progress import SILENT, Progress
from dialogkit.steps.forms import team_constants
from dialogkit.workspace import Workspace

INSTANCES: Final = "instances"
ALL: Final = "all"
_NOON: Final = time(12)


@dataclass(frozen=True)
class Wish:
    """What is asked for.

    Args:
        count: how many submissions.
        seed: of all chance; the same seed and day give the same bytes.
        today: the day on the phones that made them.
        breaks: kinds of `KINDS`, or `all`; none: the submissions stay valid.
    """

    count: int
    seed: int
    today: date
    breaks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Simulation:
    """What was made.

    Args:
        form_id, version: of the form.
        report: what was reached.
        planted: kind of break → how many submissions have it.
        without_place: kinds that were asked for, and that no submission had a place for.
    """

    form_id: str
    version: str
    report: Report
    planted: Mapping[str, int]
    without_place: tuple[str, ...]


def kinds() -> dict[str, str]:
    """Every way to break a submission, in words."""
    return {name: kind.about for name, kind in KINDS.items()}


def simulate(
    path: Path, to: Path, wish: Wish, workspace: Workspace | None = None, progress: Progress = SILENT
) -> Simulation:
    """Write made-up submissions of a workbook into a folder that a server of the kind `folder` reads.

    Each lies in `instances/<id>/submission.xml` with its files beside it; `report.json` says what no submission
    reached, and with breaks `planted.json` says which rule must find what.

    Args:
        path: the workbook.
        to: a folder that is not there yet.
        wish: what is asked for.
        workspace: its team constants are filled in.
        progress: told of each submission.

    Raises:
        FormError: as `build_form` and `media_rows`; FORM-090, the folder is there; FORM-091, there is no such kind of
            break; FORM-092, the folder cannot be written.
    """
    breaks = _kinds(wish.breaks)
    built = build_form(path, **team_constants(workspace))
    if to.exists():
        fix = "Name a folder that is not there yet."
        raise FormError("FORM-090", to.as_posix(), "The folder is there already, and nothing in it is replaced.", fix)
    try:
        with whole_folder(to) as folder:
            return _fill(folder, built, wish, breaks, progress)
    except OSError as error:
        message = f"The folder cannot be written ({error.strerror or type(error).__name__}); nothing was left behind."
        fix = "Check the place, its permissions and the free space, then try again."
        raise FormError("FORM-092", to.as_posix(), message, fix) from None


def simulator_of(built: BuiltForm, seed: int, today: date) -> Simulator:
    """What makes submissions of a built form."""
    return Simulator(built, seed, datetime.combine(today, _NOON, UTC), media_rows(built.media))


def _kinds(wanted: Sequence[str]) -> tuple[str, ...]:
    if ALL in wanted:
        return tuple(KINDS)
    for kind in wanted:
        if kind not in KINDS:
            message = f"There is no way to break a submission that is called {kind}."
            near = get_close_matches(kind, KINDS, 1)
            meant = f"Did you mean {near[0]}?" if near else "Correct the name."
            raise FormError(
                "FORM-091", kind, message, f"{meant} All are named by: dialogkit form simulate --break list"
            )
    return tuple(dict.fromkeys(wanted))


def _fill(folder: Path, built: BuiltForm, wish: Wish, breaks: Sequence[str], progress: Progress) -> Simulation:
    simulator = simulator_of(built, wish.seed, wish.today)
    breaker = Breaker(simulator, breaks)
    progress.step("simulate", wish.count)
    told = []
    made = simulator.submissions(wish.count)
    for one in breaker.broken(made) if breaks else map(Planted, made):
        _write(folder, built, simulator.asked.root, one)
        told.append(_planted(one))
        progress.advance()
    report = simulator.report()
    without = tuple(kind for kind in breaks if not breaker.planted[kind])
    done = Simulation(built.form.form_id, built.form.version, report, dict(sorted(breaker.planted.items())), without)
    _json(folder / "report.json", as_data(done, wish))
    if breaks:
        _json(folder / "planted.json", told)
    return done


def as_data(done: Simulation, wish: Wish) -> dict[str, Any]:
    """What `report.json` holds and `--json` prints."""
    asked = {"seed": wish.seed, "today": wish.today.isoformat()}
    facts = asdict(done)
    report = facts.pop("report")
    return {"form_id": facts.pop("form_id"), "version": facts.pop("version"), **asked, **report, **facts}


def _write(folder: Path, built: BuiltForm, root: str, one: Planted) -> None:
    place = folder / INSTANCES / one.submission.instance_id.replace(":", "")
    place.mkdir(parents=True)
    (place / "submission.xml").write_bytes(instance_of(built.form, root, one))
    for name, data in files_of(built.form, one.submission.answers).items():
        (place / name).write_bytes(data)


def _planted(one: Planted) -> dict[str, Any]:
    return {
        "instance_id": one.submission.instance_id,
        "kind": one.kind or None,
        "expected": [_rule(offence) for offence in one.expected],
        "also": [_rule(offence) for offence in one.also],
        "copy_of": one.copy_of or None,
    }


def _rule(offence: Offence) -> dict[str, str]:
    """The code as landing has it: kinds of a form's own rules are followed by the path."""
    plain = offence.rule in ("FORM-DRIFT", "FORM-VERSION", "QUALITY-DUPLICATE")
    rule = offence.rule if plain else f"{offence.rule}:{offence.path}"
    return {"rule": rule, "path": offence.path, "row": offence.row}


def _json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
