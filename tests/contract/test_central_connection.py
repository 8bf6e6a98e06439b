"""What goes wrong between ODK Central and its client: clear words, nothing taken that is not whole."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from dialogkit.errors import DialogkitError, NotOnServer, ServerRefused, ServerUnreachable, UnexpectedReply
from dialogkit.servers.central.mirror import CentralServer
from dialogkit.servers.central.session import CentralSession
from tests.contract.central import FULL, QUICK, asked, book, fetch, listed, pulled, session_of
from tests.lookalikes.central import Place, lookalike


@pytest.fixture
def place() -> Iterator[Place]:
    with lookalike() as running:
        yield running


@pytest.fixture
def talk(place: Place) -> Place:
    """A place with the form on it."""
    place.state.publish(book())
    return place


@pytest.fixture
def session(place: Place) -> Iterator[CentralSession]:
    opened = session_of(place)
    yield opened
    opened.close()


@pytest.fixture
def server(session: CentralSession) -> CentralServer:
    return CentralServer(session, page_size=5)


def test_one_sign_in_serves_many_requests_without_cookies(talk: Place, server: CentralServer):
    listed(server)
    listed(server)
    assert len(asked(talk, "/v1/sessions")) == 1
    later = talk.faults.seen[1:]
    assert all(one.headers["authorization"].startswith("Bearer ") for one in later)
    assert not any("cookie" in one.headers for one in later)


def test_a_token_that_has_run_out_is_replaced_once(talk: Place, server: CentralServer):
    first = talk.state.new("talk", FULL)
    entries = listed(server)[0]
    talk.faults.add("unauthorised401", path="versions")
    talk.faults.add("unauthorised401", path=".csv.zip")
    assert fetch(server, entries).received[0].submission.id == first
    assert len(asked(talk, "/v1/sessions")) == 3


@pytest.mark.parametrize(
    ("fault", "path", "code", "kind"),
    [
        ({"kind": "unauthorised401"}, "/v1/sessions", "SERVER-060", ServerRefused),
        ({"kind": "unauthorised401"}, "/v1/projects", "SERVER-061", ServerRefused),
        ({"kind": "forbidden403"}, "/v1/projects", "SERVER-061", ServerRefused),
        ({"kind": "error500"}, "/v1/projects", "SERVER-005", ServerUnreachable),
        ({"kind": "busy503"}, "/v1/projects", "SERVER-015", ServerUnreachable),
        ({"kind": "html"}, "/v1/projects", "SERVER-014", UnexpectedReply),
        ({"kind": "html"}, "/v1/sessions", "SERVER-014", UnexpectedReply),
        ({"kind": "redirect"}, "/v1/projects", "SERVER-007", UnexpectedReply),
        ({"kind": "html", "status": 418}, "/v1/projects", "SERVER-063", ServerRefused),
    ],
    ids=lambda value: value["kind"] if isinstance(value, dict) else None,
)
def test_what_goes_wrong_has_its_own_words(
    talk: Place, server: CentralServer, fault: dict[str, Any], path: str, code: str, kind: type[DialogkitError]
):
    talk.faults.add(path=path, times=0, **fault)
    with pytest.raises(kind) as caught:
        listed(server)
    assert caught.value.code == code
    assert talk.password not in str(caught.value)


def test_a_wrong_password_is_told_without_it(place: Place):
    with pytest.raises(ServerRefused) as caught:
        CentralServer(session_of(place, "not this one")).listing("talk", "")
    assert caught.value.code == "SERVER-060"
    assert "not this one" not in str(caught.value)


def test_a_form_or_a_project_that_is_not_there_is_told(place: Place, server: CentralServer):
    with pytest.raises(NotOnServer) as caught:
        server.listing("talk", "")
    assert caught.value.code == "SERVER-062"


def test_passing_faults_pass(talk: Place, server: CentralServer):
    first = talk.state.new("talk", FULL)
    talk.faults.add("error500", path="fields")
    talk.faults.add("busy503", path="Submissions", retry_after=1)
    talk.faults.add("cut", path="Submissions", after=1)
    assert list(pulled(server)) == [first]


class _WithoutDate(BaseHTTPRequestHandler):
    """Answers everything, and never says what time it is."""

    def _answer(self) -> None:
        body = json.dumps(
            {"token": "t"}
            if "sessions" in self.path
            else {"version": "1", "value": [], "@odata.count": 0}
            if "fields" not in self.path
            else []
        ).encode()
        self.send_response_only(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = _answer  # noqa: N815 - the names of the library

    def log_message(self, *_: object) -> None:
        pass


def test_a_server_without_a_clock_is_not_pulled_from():
    running = HTTPServer(("127.0.0.1", 0), _WithoutDate)
    thread = threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    session = CentralSession("central", f"http://127.0.0.1:{running.server_port}", 1, "a@example.org", "b", again=QUICK)
    try:
        with pytest.raises(UnexpectedReply) as caught:
            listed(CentralServer(session))
        assert caught.value.code == "SERVER-068"
    finally:
        session.close()
        running.shutdown()
        running.server_close()
        thread.join()


def test_a_count_that_lies_is_found(talk: Place, server: CentralServer):
    talk.state.new("talk", {"said": "x"})
    old = listed(server)[1].cursor
    talk.faults.add("skew", seconds=100)
    talk.faults.add("rewrite", path="select=__id", times=0, function=lambda body: body.replace(b":1}", b":3}"))
    with pytest.raises(UnexpectedReply) as caught:
        listed(server, old)
    assert caught.value.code == "SERVER-065"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda body: re.sub(rb'"__id":"[^"]*",', b"", body, count=1), "SERVER-064"),
        (lambda body: body.replace(b"submissionDate", b"someDate"), "SERVER-064"),
        (lambda body: body.replace(b'"@odata.count"', b'"count"'), "SERVER-064"),
        (lambda _: b"[1, 2]", "SERVER-064"),
        (lambda body: body[: len(body) // 2], "SERVER-014"),
    ],
    ids=["row without id", "row without date", "no count", "other JSON", "half a page"],
)
def test_a_page_of_the_wrong_shape_is_not_taken(
    talk: Place, server: CentralServer, change: Callable[[bytes], bytes], code: str
):
    talk.state.new("talk", {"said": "x"})
    talk.faults.add("rewrite", path="Submissions", function=change)
    with pytest.raises(UnexpectedReply) as caught:
        listed(server)
    assert caught.value.code == code


def test_a_page_that_comes_twice_is_found(talk: Place, server: CentralServer):
    for number in range(12):
        talk.state.new("talk", {"said": str(number)})
    pages: list[bytes] = []

    def again(body: bytes) -> bytes:
        pages.append(body)
        return pages[0]

    talk.faults.add("rewrite", path="Submissions", times=0, function=again)
    with pytest.raises(UnexpectedReply) as caught:
        listed(server)
    assert caught.value.code == "SERVER-066"
