"""One pull, or the same requests without dialogkit, in a process of its own.

`python -m tests.benchmarks.pulling_once pull|bare|listing KIND FOLDER KEY=VALUE…`: the keys are what the look-alike
told when it started (for a real ODK Central: address, project, email, password, form). `pull` pulls the form into
`FOLDER` and writes down every request; `bare` sends exactly these again with bare `requests`, over one session, and
throws the answers away.
"""

from __future__ import annotations

import json
import pickle
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import requests
from requests.adapters import HTTPAdapter

from tests.benchmarks.meter import Meter, peak_megabytes

FORM_ID: Final = "talk"
_FORM: Final = f"""\
| survey |
| | type         | name    | label |
| | text         | said    | What was said |
| | begin_group  | place   | Place |
| | text         | town    | Town |
| | geopoint     | at      | Where |
| | end_group    |         | |
| | integer      | people  | People |
| | decimal      | heard   | Heard |
| | begin_repeat | barrier | Barrier |
| | text         | kind    | Kind |
| | end_repeat   |         | |
| settings | form_id | form_title | version |
| | {FORM_ID} | Talk | 1 |
"""
_ASKED: Final = "asked.pickle"
#: What the look-alike said of itself when it started.
Told = Mapping[str, str]


def pull(kind: str, folder: Path, told: Told) -> dict[str, float]:
    """Pull once; a folder that has been pulled into before makes it an incremental pull."""
    from dialogkit.forms.build import build_form
    from dialogkit.progress import SILENT
    from dialogkit.pull.sync import pull_form

    source = folder / "talk.md"
    source.parent.mkdir(parents=True, exist_ok=True)
    source.write_text(_FORM, encoding="utf-8")
    form = build_form(source).form
    server = _SERVERS[kind](told)
    asked = _Asked()
    with asked, Meter() as meter:
        pulled = pull_form(server, form, lambda version: form if version == "1" else None, folder / "batches", SILENT)
    assert pulled.certificate.equal, pulled.certificate
    (folder / _ASKED).write_bytes(pickle.dumps(asked.requests))
    return {
        "wall": meter.wall,
        "cpu": meter.cpu,
        "peak": peak_megabytes(),
        "submissions": pulled.submissions,
        "requests": len(asked.requests),
        "sign_in": asked.sign_in,
    }


def bare(_kind: str, folder: Path, _told: Told) -> dict[str, float]:
    """The requests of the last pull, one after the other, as it sent them."""
    return _send_again(_asked_in(folder))


def listing(_kind: str, folder: Path, _told: Told) -> dict[str, float]:
    """Of the requests of the last pull those that list every submission (Central's reconcile query)."""
    return _send_again([one for one in _asked_in(folder) if _lists(one.url or "")])


def _lists(url: str) -> bool:
    return "/Submissions?" in url and "filter" not in url


def _asked_in(folder: Path) -> list[requests.PreparedRequest]:
    asked: list[requests.PreparedRequest] = pickle.loads((folder / _ASKED).read_bytes())
    return asked


def _send_again(asked: list[requests.PreparedRequest]) -> dict[str, float]:
    received = 0
    with requests.Session() as session, Meter() as meter:
        for one in asked:
            answer = session.send(one)
            answer.raise_for_status()
            received += answer.raw.tell()
    return {"wall": meter.wall, "cpu": meter.cpu, "peak": peak_megabytes(), "bytes": received, "requests": len(asked)}


class _Asked:
    """While it is entered, every request of this process is kept, and the seconds of those that sign in are counted."""

    def __init__(self) -> None:
        self.requests: list[requests.PreparedRequest] = []
        self.sign_in = 0.0

    def __enter__(self) -> _Asked:
        self._send: Callable[..., requests.Response] = HTTPAdapter.send

        def send(adapter: HTTPAdapter, request: requests.PreparedRequest, **how: Any) -> requests.Response:
            self.requests.append(request.copy())
            began = time.perf_counter()
            answer = self._send(adapter, request, **how)
            if (request.url or "").endswith("/sessions"):
                self.sign_in += time.perf_counter() - began
            return answer

        HTTPAdapter.send = send  # type: ignore[assignment, method-assign] # put back below
        return self

    def __exit__(self, *_: object) -> None:
        HTTPAdapter.send = self._send  # type: ignore[method-assign] # as it was


def _kobo(told: Told) -> Any:
    from dialogkit.servers.kobo.mirror import KoboServer
    from dialogkit.servers.kobo.session import KoboSession

    return KoboServer(KoboSession("far", told["address"], told["token"]), {FORM_ID: told["asset"]})


def _central(told: Told) -> Any:
    from dialogkit.servers.central.mirror import CentralServer
    from dialogkit.servers.central.session import CentralSession

    session = CentralSession("far", told["address"], int(told["project"]), told["email"], told["password"])
    return CentralServer(session, {FORM_ID: told.get("form", FORM_ID)})


_SERVERS: Final[dict[str, Callable[[Told], Any]]] = {"kobo": _kobo, "central": _central}
_WAYS: Final = {one.__name__: one for one in (pull, bare, listing)}


def main(arguments: list[str]) -> None:
    way, kind, folder, *told = arguments
    figures = _WAYS[way](kind, Path(folder), dict(one.split("=", 1) for one in told))
    print(json.dumps(figures))


if __name__ == "__main__":
    main(sys.argv[1:])
