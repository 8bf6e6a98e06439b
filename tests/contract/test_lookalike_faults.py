"""The look-alikes fail on demand, each fault in its own way, and then serve again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import requests
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.lookalikes.faults import Faults, FaultyApp
from tests.lookalikes.serving import serving

GOOD = {"rows": list(range(100))}


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
def url(faults: Faults) -> Iterator[str]:
    """A server that answers the same to everything."""

    async def answer(_: Request) -> JSONResponse:
        return JSONResponse(GOOD)

    app = Starlette(routes=[Route("/rows", answer), Route("/other", answer)])
    with serving(FaultyApp(app, faults)) as at:
        yield f"{at}/rows"


def get(url: str) -> requests.Response:
    return requests.get(url, allow_redirects=False, timeout=5)


@pytest.mark.parametrize(
    ("kind", "options", "status", "header"),
    [
        ("error500", {}, 500, {}),
        ("busy503", {"retry_after": 3}, 503, {"Retry-After": "3"}),
        ("html", {}, 200, {"Content-Type": "text/html; charset=utf-8"}),
        ("redirect", {"to": "http://127.0.0.2:1/"}, 302, {"Location": "http://127.0.0.2:1/"}),
        ("unauthorised401", {}, 401, {}),
        ("forbidden403", {}, 403, {}),
    ],
)
def test_another_answer_comes_once(
    faults: Faults, url: str, kind: str, options: dict[str, Any], status: int, header: dict[str, str]
) -> None:
    faults.add(kind, path="/rows", **options)
    first, second = get(url), get(url)
    assert first.status_code == status
    assert header.items() <= first.headers.items()
    assert second.json() == GOOD


def test_a_cut_body_ends_in_the_middle(faults: Faults, url: str) -> None:
    faults.add("cut")
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        get(url)
    assert get(url).json() == GOOD


def test_a_slow_body_comes_after_its_headers(faults: Faults, url: str) -> None:
    faults.add("slow", seconds=0.3)
    began = time.monotonic()
    reply = requests.get(url, stream=True, timeout=5)
    headers = time.monotonic() - began
    assert reply.json() == GOOD
    assert headers < 0.25 < time.monotonic() - began


def test_a_body_is_rewritten_and_its_length_fits(faults: Faults, url: str) -> None:
    faults.add("rewrite", function=lambda body: body.replace(b"rows", b"lies"))
    assert get(url).json() == {"lies": GOOD["rows"]}


def test_a_hook_runs_before_the_answer(faults: Faults, url: str) -> None:
    seen: list[int] = []
    faults.add("hook", function=lambda: seen.append(len(faults.seen)))
    assert get(url).json() == GOOD
    assert seen == [1]


def test_a_wrong_clock_shows_in_every_answer(faults: Faults, url: str) -> None:
    faults.add("skew", seconds=-3600)
    dates = [parsedate_to_datetime(get(url).headers["Date"]).timestamp() for _ in range(2)]
    assert all(3590 < time.time() - date < 3610 for date in dates)


def test_faults_wait_for_their_path_their_method_and_their_turn(faults: Faults, url: str) -> None:
    faults.add("error500", path=r"/rows\?page=2$")
    faults.add("forbidden403", method="POST", times=0)
    faults.add("unauthorised401", path="/other", after=1, times=2)
    assert [get(f"{url}?page={page}").status_code for page in (1, 2, 2, 20)] == [200, 500, 200, 200]
    other = url.replace("/rows", "/other")
    assert [get(other).status_code for _ in range(4)] == [200, 401, 401, 200]
    assert [requests.post(url, timeout=5).status_code for _ in range(2)] == [403, 403]


def test_requests_are_noted_with_what_was_sent(faults: Faults, url: str) -> None:
    size = len(get(f"{url}?page=1").content)
    (seen,) = faults.seen
    assert (seen.method, seen.target, seen.status, seen.sent) == ("GET", "/rows?page=1", 200, size)


def test_an_unknown_fault_is_refused(faults: Faults) -> None:
    with pytest.raises(ValueError, match="no fault is called"):
        faults.add("earthquake")
