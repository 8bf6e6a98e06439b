"""`python -m dialogkit` and the command `dialogkit`."""

from __future__ import annotations

from dialogkit.cli.main import cli


def main() -> None:
    """Run the command line."""
    cli()


if __name__ == "__main__":
    main()
