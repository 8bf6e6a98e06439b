"""`dialogkit verify`."""

from __future__ import annotations

from pathlib import Path

import click

from dialogkit.cli import output


@click.command("verify")
@click.argument(
    "release", type=click.Path(path_type=Path, exists=True, file_okay=False, resolve_path=True), metavar="DIR"
)
def command(release: Path) -> None:
    """Check the files of a release against its checksums (exit 10 when one differs)."""
    from dialogkit.errors import ReleaseRefused
    from dialogkit.steps.verify import verify

    problems = verify(release)
    if problems:
        raise ReleaseRefused(
            "RELEASE-013",
            release.name,
            f"The release does not hold: {len(problems)} files differ from its list.",
            "See above which.",
            tuple(problems),
        )
    output.say(f"{release.name}: every file is what was published.")
