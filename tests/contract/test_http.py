"""What our one HTTP client does with servers that are slow, busy, broken, hostile or somebody else's."""

from __future__ import annotations

import http.server
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from requests.auth import AuthBase

from dialogkit.errors import NotOnServer, ServerError, ServerRefused, ServerUnreachable, UnexpectedReply
from dialogkit.servers.again import Again
from dialogkit.servers.exchange import Asked
from dialogkit.servers.http import Http

TOKEN = "Token Zebracorn-Zebracorn"


class Say(AuthBase):
    """Puts the token on a request."""

    def __call__(self, request):
        request.headers["Authorization"] = TOKEN
        return request


class Answers:
    """What the server answers, one after the other; the last one for ever."""

    def __init__(self, *answers: tuple[int, dict[str, str], bytes] | Callable) -> None:
        self.all, self.seen = list(answers), []

    def __call__(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        length = int(handler.headers.get("Content-Length") or 0)
        handler.rfile.read(length)
        self.seen.append((handler.command, handler.path, handler.headers.get("Authorization", "")))
        answer = self.all.pop(0) if len(self.all) > 1 else self.all[0]
        if callable(answer):
            answer(handler)
            return
        status, headers, body = answer
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)


@contextmanager
def served(answers: Answers, certificate: Path | None = None) -> Iterator[str]:
    """A server on the loopback, with TLS when there is a certificate."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            answers(self)

        do_GET = do_POST = do_PATCH = answer  # noqa: N815 - names that http.server wants

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"{'https' if certificate else 'http'}://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def client(url: str, waits: list[float] | None = None, **options: object) -> Http:
    again = Again(sleep=(waits if waits is not None else []).append, **options)
    return Http("there", url, Say(), headers={"Accept": "application/json"}, again=again)


def ok(value: object) -> tuple[int, dict[str, str], bytes]:
    return 200, {"Content-Type": "application/json"}, json.dumps(value).encode()


def code_of(raised: pytest.ExceptionInfo[ServerError]) -> str:
    said = str(raised.value)
    assert "Zebracorn" not in said and "127.0.0.1" not in said
    return raised.value.code


def test_reading_is_tried_again_after_faults_of_the_server_with_longer_and_longer_waits():
    answers, waits = Answers((500, {}, b"x"), (502, {}, b"x"), (504, {}, b""), ok([1])), []
    with served(answers) as url:
        assert client(url, waits).get("data").json() == [1]
    assert len(answers.seen) == 4
    assert [0.3 < wait < 0.7 for wait in waits[:1]] == [True]
    assert waits[0] < waits[1] < waits[2] < 2.6


def test_a_fault_that_stays_is_told():
    answers = Answers((500, {}, b"<html>Zebracorn</html>"))
    with served(answers) as url, pytest.raises(ServerUnreachable) as raised:
        client(url).get("data")
    assert (code_of(raised), len(answers.seen)) == ("SERVER-005", 4)


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_what_would_do_harm_twice_is_sent_once(method):
    answers = Answers((503, {"Retry-After": "1"}, b""))
    with served(answers) as url, pytest.raises(ServerUnreachable) as raised:
        client(url).send(Asked(method, "data", json={}))
    assert (code_of(raised), len(answers.seen)) == ("SERVER-015", 1)


def test_a_post_that_may_be_repeated_is():
    answers = Answers((503, {}, b""), ok({}))
    with served(answers) as url:
        assert client(url).send(Asked("POST", "data", json={}, again=True)).status == 200


@pytest.mark.parametrize("status", [429, 503])
def test_the_wait_that_the_server_asks_for_is_kept(status):
    waits: list[float] = []
    with served(Answers((status, {"Retry-After": "7"}, b""), ok(1))) as url:
        client(url, waits).get("data")
    assert waits == [7.0]


def test_the_wait_may_be_a_date():
    waits: list[float] = []
    at = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    with served(Answers((503, {"Retry-After": at}, b""), ok(1))) as url:
        client(url, waits).get("data")
    assert 25 < waits[0] <= 30


def test_server_015_a_server_that_wants_an_hour_is_not_waited_for():
    waits: list[float] = []
    with served(Answers((503, {"Retry-After": "3600"}, b""))) as url, pytest.raises(ServerUnreachable) as raised:
        client(url, waits).get("data")
    assert (code_of(raised), waits) == ("SERVER-015", [])


def test_a_connection_that_is_cut_is_tried_again():
    def cut(handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(b"half")
        handler.close_connection = True

    with served(Answers(cut, ok("whole"))) as url:
        assert client(url).get("data").json() == "whole"
    with served(Answers(cut)) as url, pytest.raises(ServerUnreachable) as raised:
        client(url).get("data")
    assert code_of(raised) == "SERVER-001"


def test_a_file_that_is_cut_in_the_middle_is_never_taken_for_whole():
    def cut(handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(2**20))
        handler.end_headers()
        handler.wfile.write(b"x" * 600_000)
        handler.close_connection = True

    with served(Answers(cut)) as url, pytest.raises(ServerUnreachable) as raised:
        list(client(url).stream("photo.jpg"))
    assert code_of(raised) == "SERVER-001"


@pytest.mark.parametrize(
    ("body", "says"), [(b"<!DOCTYPE html><p>Sign in", "a page for browsers"), (b'{"value": [1, 2', "not whole JSON")]
)
def test_server_014_something_else_than_json(body, says):
    with served(Answers((200, {}, body))) as url, pytest.raises(UnexpectedReply) as raised:
        client(url).get("data").json()
    assert (code_of(raised), says in raised.value.message) == ("SERVER-014", True)


def test_server_007_a_redirect_to_another_host_is_not_followed_and_the_token_does_not_get_there():
    thief = Answers(ok("mine"))
    with served(thief) as other, served(Answers((302, {"Location": f"{other}/steal"}, b""))) as url:
        with pytest.raises(UnexpectedReply) as raised:
            client(url).get("data")
        with pytest.raises(UnexpectedReply):
            client(url).get(f"{other}/steal")
    assert (code_of(raised), thief.seen) == ("SERVER-007", [])


def test_a_redirect_on_the_same_host_is_followed_when_reading_only():
    moved = (301, {"Location": "/data/"}, b"")
    answers = Answers(moved, ok("there"))
    with served(answers) as url:
        assert client(url).get("data").json() == "there"
    assert [path for _, path, _ in answers.seen] == ["/data", "/data/"]
    answers = Answers(moved)
    with served(answers) as url, pytest.raises(UnexpectedReply) as raised:
        client(url).send(Asked("POST", "data", json={}))
    assert (code_of(raised), len(answers.seen)) == ("SERVER-007", 1)


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (401, ServerRefused, "SERVER-002"),
        (403, ServerRefused, "SERVER-003"),
        (404, NotOnServer, "SERVER-004"),
        (409, ServerRefused, "SERVER-006"),
    ],
)
def test_a_no_of_the_server_is_not_tried_again_and_has_its_own_code(status, kind, code):
    answers = Answers((status, {}, b'{"detail": "Zebracorn"}'))
    with served(answers) as url, pytest.raises(kind) as raised:
        client(url).get("data")
    assert (code_of(raised), len(answers.seen)) == (code, 1)
    with served(answers) as url:
        assert client(url).get("data", allow=(status,)).status == status


def test_server_001_nobody_there():
    with pytest.raises(ServerUnreachable) as raised:
        client("http://127.0.0.1:9", tries=2).get("data")
    assert code_of(raised) == "SERVER-001"


def test_server_011_a_certificate_that_nobody_vouches_for_is_not_accepted(tmp_path):
    answers = Answers(ok("x"))
    with served(answers, _self_signed(tmp_path)) as url, pytest.raises(ServerUnreachable) as raised:
        client(url).get("data")
    assert (code_of(raised), answers.seen) == ("SERVER-011", [])


def _self_signed(folder: Path) -> Path:
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    at = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(at - timedelta(days=1))
        .not_valid_after(at + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    path = folder / "both.pem"
    plain = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(plain + made.public_bytes(serialization.Encoding.PEM))
    return path
