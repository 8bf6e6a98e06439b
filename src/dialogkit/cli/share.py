"""`dialogkit share`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from dialogkit.cli import options, output

if TYPE_CHECKING:
    from dialogkit.steps.share import Shared


@click.command("share")
@click.argument("form", required=False, default="")
@options.workspace
@click.option("--server", default="", help="Name of the server in dialogkit.toml.")
@click.option("--key", "label", default="", help="Who sends: a phone key, an app user, a collector or “anonymous”.")
@click.option("--public-url", default="", help="Address that phones use, such as https://forms.example.org.")
@click.option("--to", type=click.Path(path_type=Path, dir_okay=False), help="Write the QR code as .png or .svg.")
def command(form: str, folder: Path | None, server: str, label: str, public_url: str, to: Path | None) -> None:
    """QR code and address that connect ODK Collect or KoboCollect on a phone. They can hold a key: show them with care.

    --key names a phone key of dialogkit's own server (by default the first); an app user of ODK Central, who is made
    when there is none (by default “phones”); or a collector of KoboToolbox by user name. With “anonymous” everybody
    may send to KoboToolbox without a name.
    """
    from dialogkit.steps.share import picture_kind, save_qr, share
    from dialogkit.workspace import open_workspace

    if to is not None:
        picture_kind(to)
    code = share(open_workspace(folder), form_id=form, server=server, label=label, public_url=public_url)
    if to is not None:
        save_qr(code, to)
        output.say(f"The QR code is in {to}.")
    else:
        output.say(code.terminal)
    output.say(f"In {_app(code)}: Add project, then scan the code. Or type this address as server URL:")
    click.echo(code.url)
    for line in _advice(code):
        output.say(line)


def _app(code: Shared) -> str:
    return "KoboCollect or ODK Collect" if code.kind == "kobo" else "ODK Collect"


def _advice(code: Shared) -> list[str]:
    said = []
    if code.username:
        said.append(f"User name: {code.username}. Its password is typed on the phone; it is never part of the code.")
    elif code.kind == "kobo":
        said.append("Whoever has this address can send, without a name or password.")
    elif code.kind == "central":
        said.append(f"It is the app user “{code.label}”: whoever has the code can load the forms and send.")
    if code.kind != "openrosa":
        return [*said, *([] if code.encrypted else ["Plain http: whoever is on the way can read what phones send."])]
    if not code.reachable:
        said.append("This address works on this computer only. For phones:")
        said.append('  listen = "0.0.0.0:8790" in dialogkit.toml, or dialogkit share --public-url ADDRESS')
    elif not code.encrypted:
        said.append("Plain http: whoever is on the same network can read what phones send. Outside of one you trust:")
        said.append("  dialogkit share --public-url https://…")
    return said
