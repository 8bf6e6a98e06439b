"""uvicorn in a thread, on a socket that was bound before: the port is known, or known to be taken."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from dialogkit.errors import ConfigError, ServerUnreachable

_START_SECONDS: Final = 20.0
_log = logging.getLogger("dialogkit.serve")


@dataclass(frozen=True, slots=True)
class Listening:
    """A server that answers. `address` is `host:port` with the port that it really has."""

    host: str
    port: int

    @property
    def address(self) -> str:
        """As `listen` in dialogkit.toml."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """Without a key."""
        return f"http://{self.address}"


def parse_listen(listen: str) -> tuple[str, int]:
    """Host and port of `host:port`.

    Raises:
        ConfigError: CONFIG-012, it is not written so.
    """
    host, _, port = listen.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise ConfigError(
            "CONFIG-012", "listen", "The address is not written as HOST:PORT.", "Write it as 127.0.0.1:8790."
        )
    return host, int(port)


@contextmanager
def listening(app: ASGIApp, host: str, port: int) -> Iterator[Listening]:
    """Serve `app` until the block ends; requests that are under way are finished first.

    Args:
        app: what answers.
        host: address of this computer, or 0.0.0.0 for all.
        port: 0 takes a free one.

    Raises:
        ServerUnreachable: SERVER-012 the port is taken or the address is not of this computer; SERVER-013 it
            did not start.
    """
    bound = _bind(host, port)
    server = uvicorn.Server(_config(app))
    thread = threading.Thread(target=_run, args=(server, bound), name="dialogkit-serve", daemon=True)
    try:
        thread.start()
        _wait(server, thread)
        yield Listening(host, bound.getsockname()[1])
    finally:
        server.should_exit = True
        thread.join()
        bound.close()


def _config(app: ASGIApp) -> uvicorn.Config:
    # No access log: the path holds the key. Nothing below "critical": a traceback may quote an answer.
    return uvicorn.Config(
        app,
        http="h11",
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        log_level="critical",
        server_header=False,
        timeout_graceful_shutdown=10,
    )


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named: otherwise asyncio does not set TCP_NODELAY, and each answer waits 40 ms.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
        bound.listen(256)
    except OSError as error:
        bound.close()
        raise ServerUnreachable(
            "SERVER-012",
            f"{host}:{port}",
            f"Nothing can be served at port {port} of {host} ({error.strerror or 'the address is not known'}).",
            "Stop the program that uses the port, or choose another one: dialogkit serve --listen "
            f"{host}:{port + 1 if 0 < port < 65535 else 0} (or change listen in dialogkit.toml).",
        ) from None
    return bound


def _run(server: uvicorn.Server, bound: socket.socket) -> None:
    try:
        server.run(sockets=[bound])
    except (SystemExit, Exception) as error:  # noqa: BLE001 - the end of a thread: no traceback may reach the person
        _log.error("the server ended with %s", type(error).__name__)


def _wait(server: uvicorn.Server, thread: threading.Thread) -> None:
    end = time.monotonic() + _START_SECONDS
    while not server.started:
        if not thread.is_alive() or time.monotonic() > end:
            raise ServerUnreachable("SERVER-013", "serve", "The server did not start.", "Try again with --debug.")
        time.sleep(0.005)
