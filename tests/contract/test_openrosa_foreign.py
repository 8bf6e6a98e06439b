"""dialogkit's OpenRosa client against servers that are not ours, or not well."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from dialogkit.errors import NotOnServer, ServerRefused, ServerUnreachable, UnexpectedReply
from dialogkit.model.server import Received
from dialogkit.model.submission import Attachment
from dialogkit.serve.running import listening
from dialogkit.servers.http import Http
from dialogkit.servers.openrosa import OpenRosaServer

KEY = "f00d" * 16


def pulled(server: OpenRosaServer, form, cursor: str = "") -> tuple[list[Received], str]:
    received: list[Received] = []
    for page in server.pages("talk", cursor, {"2": form}.get):
        received += page.received
        cursor = page.cursor
    return received, cursor


CHUNK = '<idChunk xmlns="http://opendatakit.org/submissions"><idList>{}</idList>{}</idChunk>'
XFORMS = (
    '<xforms xmlns="http://openrosa.org/xforms/xformsList"><xform><formID>talk</formID><name>Talk</name>'
    "<version>2</version><hash>md5:0</hash><downloadUrl>{}/form</downloadUrl></xform></xforms>"
)
SUBMISSION = (
    '<submission xmlns="http://opendatakit.org/submissions" xmlns:orx="http://openrosa.org/xforms"><data>{}</data>'
    "{}</submission>"
)
MEDIA = "<mediaFile><filename>{}</filename><hash>md5:{}</hash><downloadUrl>{}</downloadUrl></mediaFile>"


@contextmanager
def foreign(form_xml: bytes, answer: Callable[[Request], Response | None]) -> Iterator[str]:
    """A server that is not ours: `answer` says what it does; the form is there by itself."""

    async def endpoint(request: Request) -> Response:
        said = answer(request)
        if said is not None:
            return said
        if request.url.path.endswith("/formList"):
            base = str(request.url).removesuffix("/formList")
            return Response(XFORMS.format(base), media_type="text/xml")
        return Response(form_xml, media_type="text/xml")

    app = Starlette(routes=[Route("/{path:path}", endpoint, methods=["GET", "POST", "HEAD"])])
    with listening(app, "127.0.0.1", 0) as at:
        yield f"{at.url}/key/{KEY}"


def lists(ids: list[str], cursor: str = "1") -> Callable[[Request], Response | None]:
    """Lists these ids once, and sends each."""
    listed = "".join(f"<id>{one}</id>" for one in ids)

    def answer(request: Request) -> Response | None:
        if request.url.path.endswith("submissionList"):
            first = not request.query_params.get("cursor")
            tail = f"<resumptionCursor>{cursor}</resumptionCursor>" if cursor else ""
            return Response(CHUNK.format(listed if first else "", tail))
        return None

    return answer


def sends(ids: list[str], data: str, media: str = "", headers: dict[str, str] | None = None, cursor: str = "1"):
    """Lists these ids and answers each download with the same data."""
    listing = lists(ids, cursor)

    def answer(request: Request) -> Response | None:
        if request.url.path.endswith("downloadSubmission"):
            return Response(SUBMISSION.format(data, media), headers=headers)
        return listing(request)

    return answer


DATA = (
    '<data id="talk" version="2" instanceID="{0}" submissionDate="2026-01-02T03:04:05Z">'
    "{1}<gate>1</gate><meta>{2}</meta></data>"
)


def one_of(instance_id: str, more: str = "", listed: str = "") -> str:
    return DATA.format(listed or instance_id, more, f"<instanceID>{instance_id}</instanceID>")


def test_another_server_is_pulled_with_the_root_name_of_its_form(built):
    asked: list[str] = []
    answer = sends(["uuid:1"], one_of("uuid:1"))

    def remember(request: Request) -> Response | None:
        asked.append(request.query_params.get("formId", ""))
        return answer(request)

    with foreign(built.xml, remember) as url:
        ((one,), cursor) = pulled(OpenRosaServer("other", url), built.form)
    assert f"talk[@version=null and @uiVersion=null]/{root_of(built.xml)}[@key=uuid:1]" in asked
    assert (one.submission.id, one.submission.submitted_at, cursor) == ("uuid:1", "2026-01-02T03:04:05Z", "1")


def root_of(form_xml: bytes) -> str:
    return form_xml.decode().split("<instance>")[1].split("<")[1].split()[0]


def test_a_server_without_a_cursor_is_pulled_once(built):
    with foreign(built.xml, sends(["uuid:1"], one_of("uuid:1"), cursor="")) as url:
        received, cursor = pulled(OpenRosaServer("other", url), built.form)
    assert (len(received), cursor) == (1, "")


def test_the_headers_of_another_server_are_not_believed(built):
    claims = {"X-Dialogkit-Role": "staff", "X-Dialogkit-Submission-Id": "uuid:9", "X-Dialogkit-Submitter": "us"}
    more = "<source_ref>a page</source_ref><consent_basis>public_source</consent_basis>"
    with foreign(built.xml, sends(["uuid:1"], one_of("uuid:1", more), MEDIA.format("a.jpg", "", "x"), claims)) as url:
        server = OpenRosaServer("other", url)
        ((one,), _) = pulled(server, built.form)
        assert server.refusals("talk") == {}
    assert one.origin == "server"
    assert (one.submission.id, one.submission.submitter) == ("uuid:1", "")
    assert one.submission.refused == "import through a form server"
    assert (one.submission.answers, one.submission.attachments, one.body) == ({}, (), b"")


def test_an_edited_submission_of_another_server_keeps_the_id_that_the_server_lists(built):
    meta = "<instanceID>uuid:3</instanceID><deprecatedID>uuid:2</deprecatedID>"
    with foreign(built.xml, sends(["uuid:1"], DATA.format("uuid:1", "", meta))) as url:
        ((one,), _) = pulled(OpenRosaServer("other", url), built.form)
    assert (one.submission.id, one.submission.instance_id, one.submission.edited) == ("uuid:1", "uuid:3", True)


@pytest.mark.parametrize(
    ("meta", "id_"),
    [
        ("<instanceID>uuid:2</instanceID><deprecatedID>uuid:1</deprecatedID>", "uuid:1"),
        ("<instanceID>uuid:2</instanceID><rootUuid>uuid:0</rootUuid>", "uuid:0"),
    ],
)
def test_the_id_that_survives_is_read_from_the_submission(built, meta, id_):
    with foreign(built.xml, sends(["uuid:2"], DATA.format("uuid:2", "", meta))) as url:
        ((one,), _) = pulled(OpenRosaServer("other", url), built.form)
    assert one.submission.id == id_


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (lambda request: PlainTextResponse("<!doctype html><html><body>Log in</body></html>"), "SERVER-008"),
        (lambda request: Response(CHUNK.format("<id>uuid:1</id>", "")[:90]), "SERVER-008"),
        (lambda request: Response("<other/>"), "SERVER-008"),
        (lists(["uuid:1", "uuid:1"]), "SERVER-009"),
        (lists([""]), "SERVER-009"),
        (sends(["uuid:1"], one_of("uuid:2")), "SERVER-009"),
        (sends(["uuid:1"], ""), "SERVER-008"),
        (sends(["uuid:1"], one_of("uuid:1"), MEDIA.format("..", "", "x")), "SERVER-009"),
        (sends(["uuid:1"], one_of("uuid:1"), 2 * MEDIA.format("../a", "", "x")), "SERVER-009"),
        (lambda request: RedirectResponse("http://localhost:9/elsewhere"), "SERVER-007"),
        (lambda request: RedirectResponse(str(request.url)), "SERVER-007"),
    ],
)
def test_a_reply_that_is_not_the_protocol_stops_the_pull(built, answer, code):
    with foreign(built.xml, answer) as url, pytest.raises(UnexpectedReply) as raised:
        pulled(OpenRosaServer("other", url), built.form)
    assert raised.value.code == code
    assert KEY not in str(raised.value)


def test_a_cursor_that_comes_again_stops_the_pull(built):
    def answer(request: Request) -> Response | None:
        if request.url.path.endswith("submissionList"):
            turn = "2" if request.query_params.get("cursor") == "1" else "1"
            ids = f"<id>uuid:{turn}</id>"
            return Response(CHUNK.format(ids, f"<resumptionCursor>{turn}</resumptionCursor>"))
        if request.url.path.endswith("downloadSubmission"):
            key = request.query_params["formId"].split("@key=")[1].rstrip("]")
            return Response(SUBMISSION.format(one_of(key), ""))
        return None

    with foreign(built.xml, answer) as url, pytest.raises(UnexpectedReply) as raised:
        pulled(OpenRosaServer("other", url), built.form)
    assert raised.value.code == "SERVER-010"


def test_a_fault_of_the_server_is_told_apart_from_a_refusal(built):
    with (
        foreign(built.xml, lambda request: Response("<h1>nginx</h1>", 502)) as url,
        pytest.raises(ServerUnreachable) as raised,
    ):
        OpenRosaServer("other", url).form_list()
    assert raised.value.code == "SERVER-005"


def test_the_text_of_a_server_is_cut_and_cleaned_before_it_is_shown(built):
    said = f"<OpenRosaResponse><message>no\x1b[31m {KEY} {'x' * 999}</message></OpenRosaResponse>".replace("\x1b", "")
    with (
        foreign(built.xml, lambda request: Response(said, 400)) as url,
        pytest.raises(ServerRefused) as raised,
    ):
        OpenRosaServer("other", url).form_list()
    assert KEY not in str(raised.value)
    assert len(str(raised.value)) < 600


def test_an_attachment_with_other_bytes_than_announced_is_refused(built):
    def answer(request: Request) -> Response | None:
        base = str(request.url).split("/view/")[0]
        if request.url.path.endswith("/photo"):
            return Response(b"cut")
        return sends(["uuid:1"], one_of("uuid:1"), MEDIA.format("a.jpg", "0" * 32, f"{base}/photo"))(request)

    with foreign(built.xml, answer) as url:
        server = OpenRosaServer("other", url)
        ((one,), _) = pulled(server, built.form)
        with pytest.raises(UnexpectedReply) as raised:
            b"".join(server.attachment("talk", one.submission, "a.jpg"))
    assert raised.value.code == "SERVER-009"


def test_an_attachment_at_another_address_is_not_fetched(built):
    with foreign(
        built.xml, sends(["uuid:1"], one_of("uuid:1"), MEDIA.format("a.jpg", "", "http://localhost:9/a"))
    ) as url:
        server = OpenRosaServer("other", url)
        ((one,), _) = pulled(server, built.form)
        with pytest.raises(UnexpectedReply) as raised:
            b"".join(server.attachment("talk", one.submission, "a.jpg"))
    assert raised.value.code == "SERVER-007"


def test_a_form_that_the_server_does_not_list_is_said(built):
    with foreign(built.xml, lists(["uuid:1"])) as url, pytest.raises(NotOnServer, match="other_form"):
        list(OpenRosaServer("other", url).pages("other_form", "", {}.get))


def test_an_answer_without_an_end_is_cut_off(built, monkeypatch):
    monkeypatch.setattr("dialogkit.servers.http._MAX_REPLY", 1000)
    with (
        foreign(built.xml, lambda request: Response(b"x" * 10_000)) as url,
        pytest.raises(UnexpectedReply, match="too large"),
    ):
        Http("other", url).get("formList")


def test_a_server_that_says_nothing_of_success_is_not_believed(built):
    with foreign(built.xml, lambda request: Response("ok", 200)) as url, pytest.raises(UnexpectedReply):
        OpenRosaServer("other", url).send(b"<data/>")


def test_counts_that_are_no_counts_are_refused(built):
    with foreign(built.xml, lambda request: Response(zlib.compress(b"{}"))) as url, pytest.raises(UnexpectedReply):
        OpenRosaServer("other", url, embedded=True).refusals("talk")


def test_an_attachment_that_is_not_listed_any_more_is_said(built):
    with foreign(built.xml, sends(["uuid:1"], one_of("uuid:1"))) as url:
        server = OpenRosaServer("other", url)
        ((one,), _) = pulled(server, built.form)
        gone = replace(one.submission, attachments=(Attachment("a.jpg"),))
        with pytest.raises(NotOnServer):
            b"".join(server.attachment("talk", gone, "a.jpg"))
