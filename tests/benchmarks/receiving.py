"""Receiving: the real server in a process of its own, plain clients that keep their connection, a bare fsync loop.

`python -m tests.benchmarks.receiving FOLDER` serves until its standard input ends, and then tells its CPU time.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

from dialogkit.files import sync_folder
from dialogkit.instance import write_instance
from dialogkit.model.form import Form
from dialogkit.servers.multipart import Multipart
from dialogkit.steps.serve import running
from tests.benchmarks.generate import FORM_ID, canonical, submissions
from tests.benchmarks.meter import Meter, peak_megabytes
from tests.benchmarks.prepare import SEED, workspace_in

CLIENTS = 8


def receive_all(folder: Path, count: int) -> dict[str, float]:
    """Rates a second: the bare loop, one client, and several at once, `count` submissions each."""
    _, built = workspace_in(folder)
    made = list(submissions(2 * count, SEED))
    bodies = [write_instance(built.form, canonical(one), instance_id=one["meta/instanceID"]) for one in made]
    figures: dict[str, float] = {"bytes": sum(map(len, bodies)) / len(bodies)}
    figures["bare"] = count / _bare_loop(folder / "bare", bodies[:count])
    with _server(folder, figures) as url:
        figures["one"] = count / _send(url, bodies[:count], 1)
        figures["several"] = count / _send(url, bodies[count:], CLIENTS)
    figures["bare_after"] = count / _bare_loop(folder / "bare_after", bodies[:count])
    figures["server_cpu"] /= 2 * count
    return figures


def _bare_loop(folder: Path, bodies: Sequence[bytes]) -> float:
    """The least that a safe receipt costs: the bytes, the file, its name and the folder on the disk."""
    folder.mkdir()
    begun = time.perf_counter()
    for number, body in enumerate(bodies):
        partial = folder / ".partial"
        with partial.open("wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        partial.rename(folder / f"{number}.xml")
        sync_folder(folder)
    return time.perf_counter() - begun


def _send(url: str, bodies: Sequence[bytes], clients: int) -> float:
    requests = [_request(body) for body in bodies]
    begun = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(_send_some, [url] * clients, [requests[first::clients] for first in range(clients)]))
    return time.perf_counter() - begun


def _request(body: bytes) -> tuple[bytes, str]:
    multipart = Multipart(body, {})
    return b"".join(multipart), multipart.content_type


def _send_some(url: str, requests: Sequence[tuple[bytes, str]]) -> None:
    address = urlsplit(url)
    connection = HTTPConnection(address.hostname or "", address.port)
    for body, kind in requests:
        connection.request(
            "POST", f"{address.path}/submission", body, {"Content-Type": kind, "X-OpenRosa-Version": "1.0"}
        )
        answer = connection.getresponse()
        said = answer.read()
        if answer.status != 201:
            raise RuntimeError(f"{answer.status} {said.decode()}")
    connection.close()


@contextmanager
def _server(folder: Path, figures: dict[str, float]) -> Iterator[str]:
    command = [sys.executable, "-m", "tests.benchmarks.receiving", str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        try:
            yield process.stdout.readline().strip()
        finally:
            process.stdin.close()
        figures.update(json.loads(process.stdout.readline()))


def _serve(folder: Path) -> None:
    workspace, built = workspace_in(folder)

    def find_form(form_id: str, version: str) -> Form | None:
        return built.form if (form_id, version) == (FORM_ID, built.form.version) else None

    with running(workspace, [built], find_form, listen="127.0.0.1:0") as now:
        print(now.phone_url, flush=True)
        with Meter() as meter:
            sys.stdin.read()
    print(json.dumps({"server_cpu": meter.cpu, "server_peak": peak_megabytes()}), flush=True)


if __name__ == "__main__":
    _serve(Path(sys.argv[1]))
