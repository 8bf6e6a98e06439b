"""Demo: the main job, end to end, on the five real dialogues of the gallery. Nothing is simulated."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from dialogkit import sql
from dialogkit.bundled import data_file
from dialogkit.config import FILE_NAME
from dialogkit.errors import ConfigError, ServerUnreachable
from dialogkit.model.batch import SOURCES
from dialogkit.model.form import BuiltForm
from dialogkit.progress import SILENT, Progress
from dialogkit.servers.openrosa import OpenRosaServer
from dialogkit.steps.imports import records_of, sources_file
from dialogkit.steps.init import init
from dialogkit.steps.publish import Release, publish
from dialogkit.steps.query import query
from dialogkit.steps.run import Ran, run
from dialogkit.steps.serve import Running, serving
from dialogkit.workspace import Workspace, open_workspace

FORM: Final = "local_dialogue"
CODED_BY: Final = "dialogkit (first data set, 2026-11-20)"
NAME: Final = "dialogkit demo"
_CONTACT: Final = "the person who runs this demonstration"
_SERVER: Final = "this computer, for a demonstration"


@dataclass(frozen=True)
class Demo:
    """What the demo made and did, while its server runs."""

    workspace: Workspace
    forms: tuple[BuiltForm, ...]
    server: Running
    sent: int
    ran: Ran
    release: Release


@contextmanager
def demo(folder: Path, listen: str, progress: Progress = SILENT) -> Iterator[Demo]:
    """Do the whole job in `folder`, with the embedded server running until the block ends.

    Doing it again in the same folder sends the five again and changes nothing.

    Args:
        folder: of the demo's workspace; made when it is not there.
        listen: address and port of the server; port 0 takes a free one.
        progress: told of each step.

    Raises:
        ConfigError: the folder is another workspace.
        DialogkitError: as the steps do.
    """
    workspace = _workspace(folder)
    progress.step("forms", len(workspace.config.forms))
    with ExitStack() as stack:
        server = _served(stack, workspace, listen, progress)
        workspace = _listening(workspace, server)
        sent = _send(workspace, server, progress)
        ran = run(workspace, (FORM,), progress)
        progress.step("release")
        release = publish(workspace, to=None, sign_off=None, today=datetime.now(UTC).date())
        yield Demo(workspace, server.forms, server, sent, ran, release)


def _workspace(folder: Path) -> Workspace:
    if not (folder / FILE_NAME).exists():
        return init(folder, NAME, team_contact=_CONTACT, team_server=_SERVER)
    workspace = open_workspace(folder)
    if workspace.config.workspace.name != NAME:
        raise ConfigError(
            "CONFIG-011",
            str(folder),
            "This folder is a workspace already, and not one of the demo.",
            "Name another folder: dialogkit demo --to FOLDER",
        )
    return workspace


def _served(stack: ExitStack, workspace: Workspace, listen: str, progress: Progress) -> Running:
    """The server, until the stack ends; what to do about a port that is taken is said for this command."""
    try:
        return stack.enter_context(serving(workspace, listen, progress.advance))
    except ServerUnreachable as error:
        if error.code != "SERVER-012":
            raise
        host = listen.rpartition(":")[0]
        raise ServerUnreachable(
            "SERVER-012",
            error.where,
            error.problem.message,
            f"Stop the program that uses the port, or take any that is free: dialogkit demo --listen {host}:0",
        ) from None


def _listening(workspace: Workspace, server: Running) -> Workspace:
    """The same workspace, with the address that the server really has."""
    section = replace(workspace.config.servers["field"], listen=server.address)
    return replace(workspace, config=replace(workspace.config, servers={"field": section}))


def _send(workspace: Workspace, server: Running, progress: Progress) -> int:
    """The five records as OpenRosa instances over HTTP, each with its sources as an attachment."""
    form = next(built.form for built in server.forms if built.form.form_id == FORM)
    records = records_of(form, data_file("first_dialogues.json"), CODED_BY)
    client = OpenRosaServer("field", server.staff_url, embedded=True)
    progress.step("send", len(records))
    for record in records:
        client.send(record.xml, {SOURCES: b"".join(sources_file(record))})
        progress.advance()
    return len(records)


def counts(workspace: Workspace) -> list[tuple[str, int]]:
    """What the snapshot holds of the five dialogues, for the person who watches."""
    parts = [f"SELECT {sql.text(what)}, ({question})" for what, question in _COUNTED.items()]
    _, rows = query(workspace, " UNION ALL ".join(parts))
    return [(str(what), int(str(count))) for what, count in rows]


_COUNTED: Final = {
    "dialogues": "SELECT count(*) FROM accepted.local_dialogue",
    "countries": "SELECT count(DISTINCT country) FROM accepted.local_dialogue",
    "barrier rows": "SELECT count(*) FROM accepted.local_dialogue__rep_barrier",
    "different barriers": "SELECT count(DISTINCT barrier_type) FROM accepted.local_dialogue__rep_barrier",
    "recommendations": "SELECT count(*) FROM accepted.local_dialogue__rep_rec",
    "follow-ups": "SELECT count(*) FROM accepted.local_dialogue__rep_followup",
    "outputs": "SELECT count(*) FROM accepted.local_dialogue__rep_output",
    "quotes": "SELECT count(*) FROM accepted.local_dialogue__rep_quote",
}
