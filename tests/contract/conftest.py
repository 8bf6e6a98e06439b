"""A real server on the loopback with a small form, and requests as phones send them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree.ElementTree import fromstring
from xml.sax.saxutils import escape

import pytest
import requests

from dialogkit.config import read_config
from dialogkit.files import write_whole
from dialogkit.forms.build import build_form
from dialogkit.model.form import BuiltForm, Form
from dialogkit.serve.access import Access
from dialogkit.servers.openrosa import OpenRosaServer
from dialogkit.steps.serve import Running, running
from dialogkit.workspace import Workspace

FORM = """
| survey |
|        | type              | name          | label      | calculation | concept |
|        | text              | source_ref    | Source     |             | meta.source_ref |
|        | select_one basis  | consent_basis | Basis      |             | consent.basis |
|        | select_one yes_no | adult         | Adult?     |             | consent.adult |
|        | select_one yes_no | record        | Record?    |             | consent.record |
|        | calculate         | gate          |            | if(${adult} = 'yes', 1, 0) | consent.gate |
|        | begin group       | g_main        | Main       |             | |
|        | text              | said          | What?      |             | |
|        | image             | photo         | Photo      |             | |
|        | begin repeat      | rep_barrier   | Barriers   |             | |
|        | text              | barrier_type  | Which?     |             | |
|        | end repeat        |               |            |             | |
|        | end group         |               |            |             | |
|        | select_one final  | final_choice  | Finally?   |             | consent.final_choice |
| choices |
|         | list_name | name          | label         |
|         | yes_no    | yes           | Yes           |
|         | yes_no    | no            | No            |
|         | basis     | spoken        | Spoken        |
|         | basis     | public_source | Public source |
|         | final     | publish       | Publish       |
|         | final     | delete        | Delete        |
| settings |
|          | form_title | form_id | version |
|          | Talk       | talk    | 2       |
"""

#: Serves the same workspace from another process, which can be measured and killed.
APART = """
import sys, time
from pathlib import Path
from dialogkit.config import read_config
from dialogkit.forms.build import build_form
from dialogkit.steps.serve import running
from dialogkit.workspace import Workspace
root = Path(sys.argv[1])
built = build_form(root / "talk.md")
workspace = Workspace(root, read_config(root / "dialogkit.toml"))
with running(workspace, [built], lambda *_: None, listen="127.0.0.1:0") as at:
    print(at.phone_url, at.staff_url, flush=True)
    time.sleep(300)
"""


def xml_of(
    instance_id: str,
    said: str = "something",
    *,
    deprecated: str = "",
    version: str = "2",
    form_id: str = "talk",
    gate: str = "1",
    final: str = "publish",
    more: str = "",
) -> bytes:
    """An instance as ODK Collect writes it; blank parts are left out."""
    meta = f"<orx:instanceID>{escape(instance_id)}</orx:instanceID>" if instance_id else ""
    meta += f"<orx:deprecatedID>{escape(deprecated)}</orx:deprecatedID>" if deprecated else ""
    return (
        f"<?xml version='1.0' ?><data xmlns:orx='http://openrosa.org/xforms' id='{form_id}' version='{version}'>"
        f"{more}<adult>yes</adult><record>yes</record><gate>{gate}</gate><g_main><said>{escape(said)}</said>"
        "<rep_barrier><barrier_type>bank_account</barrier_type></rep_barrier></g_main>"
        f"<final_choice>{final}</final_choice><orx:meta>{meta}</orx:meta></data>"
    ).encode()


@dataclass
class Field:
    """A running server and what a phone or staff do with it."""

    url: str
    phone_url: str
    staff_url: str
    root: Path
    form: Form
    access: Access
    xml: Callable[..., bytes] = field(default=xml_of)

    def post(
        self,
        body: bytes,
        files: dict[str, bytes] | None = None,
        *,
        incomplete: bool = False,
        url: str = "",
        parts: list[tuple[str, object]] | None = None,
    ) -> requests.Response:
        """A submission as ODK Collect sends it."""
        sent: list[tuple[str, object]] = [("xml_submission_file", ("submission.xml", body, "text/xml"))]
        sent += [(name, (name, content, "image/jpeg")) for name, content in (files or {}).items()]
        sent += [("*isIncomplete*", (None, "yes"))] if incomplete else []
        return requests.post(
            f"{url or self.phone_url}/submission?deviceID=collect%3Axyz",
            files=sent + (parts or []),
            headers={"X-OpenRosa-Version": "1.0", "Date": "Sat, 21 Nov 2026 01:02:03 GMT+01:00"},
            timeout=30,
        )

    @staticmethod
    def message(reply: requests.Response) -> str:
        """What the phone shows to the person."""
        root = fromstring(reply.content)
        assert root.tag == "{http://openrosa.org/http/response}OpenRosaResponse"
        return root[0].text or ""

    def ids(self, **query: str) -> list[str]:
        """The instanceIDs that a pull sees."""
        reply = requests.get(f"{self.staff_url}/view/submissionList", params={"formId": "talk"} | query, timeout=10)
        return [part.split("</id>")[0] for part in reply.text.split("<id>")[1:]]

    def download(self, instance_id: str) -> requests.Response:
        """A submission as ODK Briefcase asks for it."""
        address = f"talk[@version=null and @uiVersion=null]/data[@key={instance_id}]"
        return requests.get(f"{self.staff_url}/view/downloadSubmission", params={"formId": address}, timeout=10)

    def refused(self, form_id: str = "talk") -> dict[str, int]:
        """The counts of what was not kept."""
        counts: dict[str, int] = requests.get(
            f"{self.staff_url}/view/refused", params={"formId": form_id}, timeout=10
        ).json()
        return counts

    def client(self, **options: object) -> OpenRosaServer:
        """dialogkit's own client, with the key for staff."""
        return OpenRosaServer("field", self.staff_url, embedded=True, **options)  # type: ignore[arg-type]  # options are handed on

    def on_disk(self, text: bytes) -> list[Path]:
        """Every file of the server that holds this text."""
        return [path for path in (self.root / "server").rglob("*") if path.is_file() and text in path.read_bytes()]


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> BuiltForm:
    """The small form, built by pyxform, with one media file."""
    folder = tmp_path_factory.mktemp("form")
    write_whole(folder / "talk.md", FORM.encode())
    write_whole(folder / "a plan.png", b"not really a picture")
    form = build_form(folder / "talk.md")
    return BuiltForm(form.form, form.xml, {"a plan.png": folder / "a plan.png"})


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """An empty workspace."""
    write_whole(tmp_path / "dialogkit.toml", b'[servers.field]\nkind = "openrosa"\nlisten = "127.0.0.1:0"\n')
    return Workspace(tmp_path, read_config(tmp_path / "dialogkit.toml"))


@pytest.fixture
def serve(workspace: Workspace, built: BuiltForm) -> Callable[..., object]:
    """Starts a server on the workspace: `with serve() as field`."""
    from contextlib import contextmanager

    @contextmanager
    def start(public_url: str = "") -> Iterator[Field]:
        older = {"1": built.form}
        with running(
            workspace, [built], lambda _, version: older.get(version), listen="127.0.0.1:0", public_url=public_url
        ) as at:
            yield _field(at, workspace, built)

    return start


@pytest.fixture
def field_server(serve: Callable[..., object]) -> Iterator[Field]:
    """A running server."""
    with serve() as field:  # type: ignore[attr-defined]  # a context manager
        yield field


@pytest.fixture
def apart(workspace: Workspace, built: BuiltForm) -> Iterator[Callable[[], tuple[subprocess.Popen[str], Field]]]:
    """Starts the server in a process of its own; what still runs afterwards is killed."""
    write_whole(workspace.root / "talk.md", FORM.encode())
    started: list[subprocess.Popen[str]] = []

    def start() -> tuple[subprocess.Popen[str], Field]:
        process = subprocess.Popen(
            [sys.executable, "-c", APART, str(workspace.root)], stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        assert process.stdout is not None
        phone_url, staff_url = process.stdout.readline().split()
        access = Access(workspace.server / "keys.json")
        return process, Field(phone_url.split("/key/")[0], phone_url, staff_url, workspace.root, built.form, access)

    yield start
    for process in started:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def _field(at: Running, workspace: Workspace, built: BuiltForm) -> Field:
    return Field(at.url, at.phone_url, at.staff_url, workspace.root, built.form, at.access)
