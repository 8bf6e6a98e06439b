"""Runs a look-alike on the loopback: uvicorn in a thread, any free port, stopped at the end."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

_PATIENCE = 10.0


@contextmanager
def serving(app: Any, port: int = 0) -> Iterator[str]:
    """The address of `app` while the block runs, `http://127.0.0.1:<port>` without a slash at the end."""
    # A socket of our own, so that the port is known before the server runs and nobody else can take it.
    # The protocol is named: asyncio turns Nagle's algorithm off for such sockets only, and it costs 40 ms a request.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", port))
    # Date is set by the faults' middleware: a test can make the clock wrong.
    config = uvicorn.Config(
        app, log_level="critical", access_log=False, date_header=False, server_header=False, lifespan="off", ws="none"
    )
    # A client's open connection must not hold up the end of a test.
    config.timeout_graceful_shutdown = 1
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        _wait_until_started(server, thread)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(_PATIENCE)
        listening.close()


def _wait_until_started(server: uvicorn.Server, thread: threading.Thread) -> None:
    end = time.monotonic() + _PATIENCE
    while not server.started:
        if not thread.is_alive() or time.monotonic() > end:
            raise RuntimeError("the look-alike did not start")
        time.sleep(0.005)
