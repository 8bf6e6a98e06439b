"""What `serve` and `demo` share while a server is up: how it is stopped, and the warning about plain http."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from dialogkit.cli import output


@contextmanager
def stopped_by_term() -> Iterator[None]:
    """Let TERM end the block as Ctrl-C does: that is what a service manager sends.

    Scripts start programs in the background with INT ignored, so TERM must not be turned into INT.
    """
    before = signal.signal(signal.SIGTERM, _stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def warn_of_plain_http() -> None:
    """For a server that other devices can reach without encryption."""
    output.say(
        "WARNING: other devices can reach this server, and plain http is not encrypted: whoever is on the same\n"
        "network can read the answers. Use it on a network you trust, encrypt the forms (public_key), or put a\n"
        "proxy with TLS before it and say: dialogkit serve --public-url https://…"
    )


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
