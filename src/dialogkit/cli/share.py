"""`dialogkit share`."""

from __future__ import annotations

from pathlib import Path

import click

from dialogkit.cli import options, output


@click.command("share")
@click.argument("form", required=False, default="")
@options.workspace
@click.option("--server", default="", help="Name of the server in dialogkit.toml.")
@click.option("--key", "label", default="", help="Label of the key; by default the first phone key.")
@click.option("--public-url", default="", help="Address that phones use, such as https://forms.example.org.")
@click.option("--to", type=click.Path(path_type=Path, dir_okay=False), help="Write the QR code as .png or .svg.")
def command(form: str, folder: Path | None, server: str, label: str, public_url: str, to: Path | None) -> None:
    """QR code and address that connect ODK Collect on a phone. They hold the key: show them with care."""
    from dialogkit.steps.share import save_qr, share
    from dialogkit.workspace import open_workspace

    code = share(open_workspace(folder), form_id=form, server=server, label=label, public_url=public_url)
    if to is not None:
        save_qr(code, to)
        output.say(f"The QR code is in {to}.")
    else:
        output.say(code.terminal)
    output.say("In ODK Collect: Add project, then scan the code. Or type this address as server URL:")
    click.echo(code.url)
    if not code.reachable:
        output.say("This address works on this computer only. For phones:")
        output.say('  listen = "0.0.0.0:8790" in dialogkit.toml, or dialogkit share --public-url ADDRESS')
    elif not code.encrypted:
        output.say("Plain http: whoever is on the same network can read what phones send. Outside of one you trust:")
        output.say("  dialogkit share --public-url https://…")
