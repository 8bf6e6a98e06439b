"""`dialogkit demo`."""

from __future__ import annotations

import shutil
import sys
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dialogkit.cli import options, output
from dialogkit.cli.serving import stopped_by_term, warn_of_plain_http

if TYPE_CHECKING:
    from dialogkit.steps.demo import Demo

_LOOK_NEXT = """\
Where to look next:
  cd {folder}
  {command} query "select country, count(*) n from accepted.{form} group by 1 order by 1"
  {command} findings                      what can be asked across countries
  {command} status                        what lies where
  {command} report                        counts by rule, version, sender and country, as a page
  {command} rules list {form}   every rule that a submission is judged by
  {release}   the release: extracts, codebook, checksums
  forms/                                  the seven forms, to open in a spreadsheet"""


@click.command("demo")
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default="demo",
    show_default=True,
    help="The workspace of the demo; made when it is not there.",
)
@click.option("--listen", default="127.0.0.1:0", show_default=True, help="Address and port; port 0 takes a free one.")
@click.option("--keep-serving", is_flag=True, help="Stay up for a phone until Ctrl-C.")
@options.quiet
def command(folder: Path, listen: str, keep_serving: bool, quiet: bool) -> None:
    """The main job, end to end, on the five real dialogues of the gallery.

    Makes a workspace, builds the seven forms, starts the embedded server, sends the five records, pulls, checks
    and loads them, prints a finding and writes a release. Nothing is simulated: what the source does not say
    stays empty. Doing it again changes nothing.

    For a phone in your network: dialogkit demo --listen 0.0.0.0:8790 --keep-serving
    """
    from dialogkit.steps.demo import demo

    with ExitStack() as stack:
        stack.enter_context(stopped_by_term())
        with output.progress(quiet) as progress:
            done = stack.enter_context(demo(folder, listen, progress))
        _show(folder, done)
        if keep_serving:
            _stay()


def _stay() -> None:
    output.say("Serving until you press Ctrl-C …")
    with suppress(KeyboardInterrupt):
        while True:
            time.sleep(3600)


def _show(folder: Path, done: Demo) -> None:
    from dialogkit.steps.demo import FORM, counts
    from dialogkit.steps.findings import finding
    from dialogkit.steps.share import save_qr, share_running

    click.echo(f"{len(done.forms)} forms built and served; {done.sent} records sent, checked and landed:\n")
    output.table(["what", "count"], counts(done.workspace))
    click.echo("F11  Which barriers are named in dialogues, in how many countries?")
    columns, rows = finding(done.workspace, "F11")
    shown = [columns.index(name) for name in ("label", "family", "shown", "countries")]
    output.table([columns[place] for place in shown], [[row[place] for place in shown] for row in rows])
    code = share_running(done.workspace, done.server)
    save_qr(code, folder / "server" / "phone.png")
    click.echo(code.terminal)
    click.echo(f"Address for a phone: {code.url}")
    click.echo(f"QR code as a picture: {folder / 'server' / 'phone.png'}")
    if not code.reachable:
        click.echo("It works on this computer, while this command runs. For a phone in your network:")
        click.echo(f"  {_command()} demo --listen 0.0.0.0:8790 --keep-serving")
    elif not code.encrypted:
        warn_of_plain_http()
    release = done.release.folder.relative_to(folder.resolve())
    click.echo("\n" + _LOOK_NEXT.format(command=_command(), folder=folder, form=FORM, release=f"{release}/"))


def _command() -> str:
    """How this person can call dialogkit from another folder."""
    return "dialogkit" if shutil.which("dialogkit") else str(Path(sys.argv[0]).resolve())
