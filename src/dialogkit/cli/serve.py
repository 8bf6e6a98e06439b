"""`dialogkit serve`."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dialogkit.cli import options, output

if TYPE_CHECKING:
    from dialogkit.steps.serve import Running
    from dialogkit.workspace import Workspace


@click.command("serve")
@options.workspace
@click.option("--listen", default="", metavar="HOST:PORT", help="Where to listen; by default as dialogkit.toml says.")
@click.option("--url", "public_url", default="", help="Address that phones use, when it is another (a proxy with TLS).")
def command(folder: Path | None, listen: str, public_url: str) -> None:
    """Receive submissions from phones until Ctrl-C."""
    from dialogkit.steps.serve import serving
    from dialogkit.workspace import open_workspace

    workspace = open_workspace(folder)
    # A service manager says TERM where a person types Ctrl-C.
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    with serving(workspace, listen, public_url=public_url) as server:
        output.problems(server.left_out)
        _tell(workspace, server)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            output.say("\nStopping. What phones were told is received is on disk.")


def _tell(workspace: Workspace, server: Running) -> None:
    """The address on stdout, so that a script can read it; everything else beside it."""
    from dialogkit.steps.share import for_phones, open_to_others, shared

    base = server.public_url or f"http://{for_phones(server.address)}"
    code = shared(workspace, f"{base}/key/{server.access.token('phone')}")
    click.echo(server.url)
    output.say("Forms: " + ", ".join(f"{one.form.form_id} {one.form.version}" for one in server.forms))
    if server.damaged:
        output.say(f"{server.damaged} stored submissions could not be read. They are in server/damaged; tell somebody.")
    output.say("\nTo connect a phone: install ODK Collect, choose Add project, and scan this code.")
    output.say(code.terminal)
    if not code.reachable:
        output.say("Only this computer can reach the server. For phones: dialogkit serve --listen 0.0.0.0:8790")
    if open_to_others(server.address) and not code.encrypted:
        output.say(
            "WARNING: other devices can reach this server, and plain http is not encrypted: whoever is on the same\n"
            "network can read the answers. Use it on a network you trust, encrypt the forms (public_key), or put a\n"
            "proxy with TLS before it and say: dialogkit serve --url https://…"
        )
    output.say("The code holds a key: whoever photographs it can send forms. Other keys: dialogkit key add LABEL")
    output.say("Stop with Ctrl-C.")
