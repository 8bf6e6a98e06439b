"""A headless Chromium with the network cut, driven over a pipe: what it shows, and every request that it makes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final

#: None where there is none; then these tests are skipped, and say so.
CHROMIUM: Final = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
_OPTIONS: Final = (
    "--headless",
    "--no-sandbox",  # it runs as root in containers, and opens our own pages only
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--remote-debugging-pipe",
)
_PATIENCE: Final = 60


@dataclass
class Browser:
    """One open page. `requests` are the addresses that it asked for since it was last opened."""

    to: BinaryIO
    back: BinaryIO
    session: str = ""
    number: int = 0
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    loaded: int = 0

    def open(self, address: str) -> None:
        """Open an address and wait until everything of it has been loaded."""
        self.requests.clear()
        self.complaints.clear()
        self.loaded = 0
        self.call("Page.navigate", url=address)
        self.wait_loaded()

    def wait_loaded(self) -> None:
        """Wait for the load of a page."""
        while not self.loaded:
            self._take(self._read())

    def look(self, width: int = 1100, *, dark: bool = False, medium: str = "") -> None:
        """The size of the window, and how the page is seen."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", media=medium, features=[scheme])

    def ask(self, script: str) -> Any:
        """The value of an expression in the page."""
        found = self.call("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """One command of the DevTools protocol; what happens meanwhile is noted."""
        self.number += 1
        told: dict[str, Any] = {"id": self.number, "method": method, "params": params}
        if self.session:
            told["sessionId"] = self.session
        self.to.write(json.dumps(told).encode() + b"\0")
        while (said := self._read()).get("id") != self.number:
            self._take(said)
        assert "error" not in said, said
        result: dict[str, Any] = said["result"]
        return result

    def _take(self, said: dict[str, Any]) -> None:
        params = said.get("params", {})
        match said.get("method"):
            case "Network.requestWillBeSent":
                self.requests.append(params["request"]["url"])
            case "Log.entryAdded":
                self.complaints.append(params["entry"]["text"])
            case "Page.loadEventFired":
                self.loaded += 1

    def _read(self) -> dict[str, Any]:
        said = bytearray()
        while (sign := self.back.read(1)) != b"\0":
            assert sign, "the browser has ended"
            said += sign
        found: dict[str, Any] = json.loads(said)
        return found


@contextmanager
def browser(profile: Path) -> Iterator[Browser]:
    """A browser with an empty profile."""
    assert CHROMIUM
    read_there, write_here = os.pipe()
    read_here, write_there = os.pipe()
    # The pipes must have these two numbers there, whatever numbers they have here.
    start = f'exec "$@" 3<&{read_there} 4>&{write_there}'
    command = ["bash", "-c", start, "-", CHROMIUM, *_OPTIONS, f"--user-data-dir={profile}", "about:blank"]
    with (profile / "log").open("wb") as log:
        process = subprocess.Popen(command, pass_fds=(read_there, write_there), stdout=log, stderr=log)
    os.close(read_there)
    os.close(write_there)
    with os.fdopen(write_here, "wb", buffering=0) as to, os.fdopen(read_here, "rb") as back:
        try:
            yield _attached(Browser(to, back))
        finally:
            _end(process)


def _attached(found: Browser) -> Browser:
    until = time.monotonic() + _PATIENCE
    pages: list[str] = []
    while not pages:
        assert time.monotonic() < until, "the browser opens no page"
        targets = found.call("Target.getTargets")["targetInfos"]
        pages = [one["targetId"] for one in targets if one["type"] == "page"]
    found.session = found.call("Target.attachToTarget", targetId=pages[0], flatten=True)["sessionId"]
    for domain in ("Network", "Page", "Log", "Runtime"):
        found.call(f"{domain}.enable")
    return found


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
