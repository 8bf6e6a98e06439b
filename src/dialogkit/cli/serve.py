"""`dialogkit serve`."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dialogkit.cli import options, output
from dialogkit.cli.serving import stopped_by_term, warn_of_plain_http

if TYPE_CHECKING:
    from dialogkit.steps.serve import Running
    from dialogkit.workspace import Workspace


@click.command("serve")
@options.workspace
@click.option("--listen", default="", metavar="HOST:PORT", help="Where to listen; by default as dialogkit.toml says.")
@click.option("--public-url", default="", help="Address that phones use, when it is another (a proxy with TLS).")
def command(folder: Path | None, listen: str, public_url: str) -> None:
    """Receive submissions from phones until Ctrl-C."""
    from dialogkit.steps.serve import serving
    from dialogkit.workspace import open_workspace

    workspace = open_workspace(folder)
    with stopped_by_term(), serving(workspace, listen, public_url=public_url) as server:
        output.problems(server.left_out)
        _tell(workspace, server)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            output.say("\nStopping. What phones were told is received is on disk.")


def _tell(workspace: Workspace, server: Running) -> None:
    """The address on stdout, so that a script can read it; everything else beside it."""
    from dialogkit.steps.serve import embedded_server
    from dialogkit.steps.share import open_to_others, share_running

    code = share_running(workspace, server)
    click.echo(server.url)
    output.say("Forms: " + ", ".join(f"{one.form.form_id} {one.form.version}" for one in server.forms))
    if server.damaged:
        output.say(f"{server.damaged} stored submissions could not be read. They are in server/damaged; tell somebody.")
    output.say("\nTo connect a phone: install ODK Collect, choose Add project, and scan this code.")
    output.say(code.terminal)
    if not code.reachable:
        output.say('Only this computer can reach the server. For phones: listen = "0.0.0.0:8790" in dialogkit.toml.')
    if open_to_others(server.address) and not code.encrypted:
        warn_of_plain_http()
    if (told := embedded_server(workspace).listen) != server.address:
        output.say(
            f"run, pull and share look for the server at {told}, as dialogkit.toml says. "
            f'For them to find this one: listen = "{server.address}" there.'
        )
    output.say("The code holds a key: whoever photographs it can send forms. Other keys: dialogkit key add LABEL")
    output.say("Stop with Ctrl-C.")
