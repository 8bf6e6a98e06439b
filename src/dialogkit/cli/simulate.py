"""`dialogkit form simulate`: made-up submissions of a form."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from dialogkit.cli import options, output

if TYPE_CHECKING:
    from dialogkit.steps.simulate import Simulation

#: So many choices are named on the screen; `report.json` has all.
_SHOWN: Final = 8


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False), metavar="FILE", required=False)
@click.option("-n", "count", type=click.IntRange(1, 1_000_000), default=100, show_default=True, help="How many.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed and day give the same bytes.")
@click.option("--to", type=click.Path(path_type=Path, file_okay=False), help="A folder that is not there yet.")
@click.option(
    "--break",
    "breaks",
    multiple=True,
    metavar="KIND",
    help="Break each submission in one known way; list names the ways, all takes every one. May be repeated.",
)
@click.option(
    "--today", "day", type=click.DateTime(["%Y-%m-%d"]), help="The day on the phones; by default that of yesterday."
)
@options.as_json
@options.quiet
@options.workspace
def simulate(  # noqa: PLR0913, PLR0917 - one argument for each option
    file: Path | None,
    count: int,
    seed: int,
    to: Path | None,
    breaks: tuple[str, ...],
    day: datetime | None,
    as_json: bool,
    quiet: bool,
    folder: Path | None,
) -> None:
    """Write made-up submissions of any XLSForm into a folder: valid ones, or broken in known ways.

    Every one is marked as synthetic: dialogkit publish refuses them. What no submission reached, and which
    constraints no value was found for, is told.
    """
    from datetime import UTC, timedelta

    from dialogkit.cli.form import workspace_of
    from dialogkit.steps.simulate import Wish, as_data, kinds
    from dialogkit.steps.simulate import simulate as run

    if "list" in breaks:
        _list(kinds(), as_json)
        return
    if file is None or to is None:
        raise click.UsageError("Name the workbook and, with --to, the folder to write into.")
    today = day.date() if day else datetime.now(UTC).date() - timedelta(days=1)
    wish = Wish(count, seed, today, breaks)
    with output.progress(quiet or as_json) as progress:
        done = run(file, to, wish, workspace_of(folder), progress)
    if as_json:
        output.data(as_data(done, wish))
    else:
        _tell(done)
        output.say(f"In {to}. How to land them in a workspace for trials: docs/simulate.md")


def _list(known: dict[str, str], as_json: bool) -> None:
    if as_json:
        output.data(known)
    else:
        output.table(("kind", "what is wrong"), list(known.items()))


def _tell(done: Simulation) -> None:
    report = done.report
    click.echo(f"made  {done.form_id}  version {done.version or '(none)'}  {report.submissions} submissions")
    for kind, count in done.planted.items():
        click.echo(f"broken  {kind}  {count}")
    for kind in done.without_place:
        click.echo(f"broken  {kind}  none: no submission has a place for it")
    for path, reason in report.unreached.items():
        click.echo(f"not reached  {path}  {reason}")
    for path, count in report.unsatisfied.items():
        click.echo(f"no value found  {path}  in {count} submissions: its constraint or filter allows nothing we tried")
    for path, codes in report.never_offered.items():
        more = f" and {len(codes) - _SHOWN} more" if len(codes) > _SHOWN else ""
        click.echo(f"never offered  {path}  {', '.join(codes[:_SHOWN])}{more}: its filter left them out every time")
    for place, reason in report.undecided.items():
        click.echo(f"not decidable  {place}  {reason}")
    if report.broken:
        click.echo(f"against the form  {report.broken} submissions: see report.json")
