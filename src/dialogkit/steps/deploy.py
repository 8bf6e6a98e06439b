"""Deploy: place forms on KoboToolbox or ODK Central, after showing what that changes there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime

from dialogkit.config import FILE_NAME
from dialogkit.errors import ConfigError, NotOnServer, ServerRefused, UnexpectedReply
from dialogkit.files import md5_of
from dialogkit.forms.remote_copy import content_of, remote_copy, xlsx_bytes
from dialogkit.forms.versions import keep_version
from dialogkit.model.host import FormHost, Placed, Upload
from dialogkit.pull.certificates import last_certificate
from dialogkit.steps import servers
from dialogkit.steps.deploy_compare import compare_with_placed
from dialogkit.steps.deploy_plan import Plan, Ready, Wanted, action_of, refuse_same_version, refuse_used_version
from dialogkit.steps.deployments import Deployment, PlacedVersion, find_deployment, note, only_one, remote_ids
from dialogkit.steps.forms import fit_form, team_constants
from dialogkit.workspace import Workspace

_PLACED_ON = ("kobo", "central")


def _nothing_shown(_plan: Plan) -> None:
    """For callers that look at the plans afterwards."""


def deploy(
    workspace: Workspace, forms: Sequence[str], wanted: Wanted, show: Callable[[Plan], None] = _nothing_shown
) -> list[Plan]:
    """Place forms, or archive them. Stopped anywhere and run again it ends the same, without a second copy.

    Nothing is placed before every form is found fit, compared with what is there, and shown.

    Args:
        workspace: with servers of kind kobo or central.
        forms: by form_id; all that are on such servers, or on `wanted.server`, when none is named.
        wanted: what to do with them.
        show: called with each plan, before anything is done.

    Returns:
        What was done, or with `dry_run` what would have been.

    Raises:
        ConfigError: a form or server is not as it should be in dialogkit.toml; dialogkit's own server takes no deploy.
        FormError: a form must not be served, or was changed without a new version (FORM-050, FORM-071).
        ServerError: SERVER-080 another deploy is running, SERVER-081 it would break what is stored, SERVER-082 there
            is nothing to archive, SERVER-083 what is there cannot be compared, SERVER-084 a file did not arrive,
            SERVER-086 the form that was pulled from is not seen any more; and what the server answers.
    """
    with nullcontext() if wanted.dry_run else only_one(workspace):
        plans = [_plan(workspace, form_id, wanted) for form_id in forms or _all_forms(workspace, wanted.server)]
        for plan in plans:
            show(plan)
        for plan in plans:
            _refuse_breaking(plan, wanted)
            _refuse_leaving(workspace, plan, wanted)
        if not wanted.dry_run:
            for plan in plans:
                _carry_out(workspace, plan)
        return plans


def _all_forms(workspace: Workspace, server: str) -> list[str]:
    """The forms on a server: those that dialogkit.toml puts there, and those that were deployed there before.

    Without a name: those on a server that takes forms, or all, so that the message says why they cannot be placed.
    """
    forms, known = workspace.config.forms, workspace.config.servers
    if server:
        there = remote_ids(workspace, servers.named(workspace, server).name)
        chosen = [form_id for form_id, form in forms.items() if form.server == server or form_id in there]
    else:
        remote = [form_id for form_id, form in forms.items() if form.server and known[form.server].kind in _PLACED_ON]
        chosen = remote or list(forms)
    # Who archived a form named it, and opens it by its name.
    chosen = [form_id for form_id in chosen if _is_open(workspace, form_id, server)] or chosen
    if not chosen:
        message = f"No form of this workspace is on {server}." if server else "This workspace names no form."
        fix = f"Name the form that shall go there: dialogkit deploy FORM --server {server or 'NAME'}"
        raise ConfigError("CONFIG-043", FILE_NAME, message, fix)
    return chosen


def _is_open(workspace: Workspace, form_id: str, server: str) -> bool:
    name = server or workspace.config.forms[form_id].server
    return not name or find_deployment(workspace, name, form_id).active


def _plan(workspace: Workspace, form_id: str, wanted: Wanted) -> Plan:
    section = servers.section_of(workspace, form_id, wanted.server)
    host = servers.host_of(workspace, section)
    noted = find_deployment(workspace, section.name, form_id)
    if wanted.archive:
        return _plan_archive(host, noted)
    ready = _ready(workspace, form_id, carries_id=section.kind == "kobo")
    remote_id, placed = _there(host, noted, ready.form.title)
    refuse_used_version(noted, ready, placed)
    action = action_of(noted, ready, placed)
    plan = Plan(host, replace(noted, remote_id=remote_id), action, ready, let_in=wanted.let_in)
    if action != "replace" or placed is None:
        return plan
    compared = compare_with_placed(workspace, plan, ready, placed)
    if compared.comparison is not None and compared.comparison.same and compared.seen:
        return _taken_over(plan, ready, placed)
    if compared.comparison is not None and all(one.content != ready.content for one in noted.versions):
        refuse_same_version(compared.comparison)
    return replace(plan, comparison=compared.comparison, compared=True)


def _taken_over(plan: Plan, ready: Ready, placed: Placed) -> Plan:
    """This very version was placed from elsewhere, or deployments.json was lost: that is noted, and it stays."""
    found = PlacedVersion(ready.form.version, placed.remote_version, ready.content, _now())
    deployment = plan.deployment.with_version(found)
    return replace(plan, deployment=deployment, action="nothing" if placed.active else "open")


def _plan_archive(host: FormHost, noted: Deployment) -> Plan:
    remote_id, placed = _there(host, noted, "")
    if placed is None:
        raise NotOnServer(
            "SERVER-082",
            f"{noted.server}, {noted.form_id}",
            "The form is not on this server, so there is nothing to archive.",
            "Name the server that it is on: --server NAME",
        )
    return Plan(host, replace(noted, remote_id=remote_id), "archive" if placed.active else "nothing")


def _ready(workspace: Workspace, form_id: str, *, carries_id: bool) -> Ready:
    built = fit_form(workspace, form_id)
    copy = remote_copy(
        workspace.form_file(form_id), team_constants(workspace), carried=built.form if carries_id else None
    )
    return Ready(built, xlsx_bytes(copy), content_of(copy, built.media))


def _there(host: FormHost, noted: Deployment, title: str) -> tuple[str, Placed | None]:
    """The form as it is on the server; it is looked for where no id was noted, or where that leads nowhere."""
    placed = host.placed(noted.remote_id) if noted.remote_id else None
    if placed is not None:
        return noted.remote_id, placed
    found = host.find(noted.form_id, title)
    return found, host.placed(found) if found else None


def _refuse_breaking(plan: Plan, wanted: Wanted) -> None:
    if wanted.accept_break or not plan.compared:
        return
    where = f"{plan.deployment.server}, {plan.deployment.form_id}"
    if plan.comparison is None:
        message = "Another version of the form is there, and what it asks is not known here: nothing can be compared."
        fix = "Look at it on the server. Replace it whatever it is with: --accept-break"
        raise ServerRefused("SERVER-083", where, message, fix)
    if plan.comparison.breaking:
        message = f"This version breaks what is stored: {len(plan.comparison.breaking)} of its changes, shown above."
        fix = "Keep the names, types and choices that have answers; or accept it: --accept-break"
        raise ServerRefused("SERVER-081", where, message, fix)


def _refuse_leaving(workspace: Workspace, plan: Plan, wanted: Wanted) -> None:
    """An account that may not see a form any more gets the same answer as for one that is gone.

    Placed anew under another id, the next pull would take every submission of the first one as deleted.
    """
    server, form_id = plan.deployment.server, plan.deployment.form_id
    was = find_deployment(workspace, server, form_id).remote_id
    if wanted.accept_break or was in ("", plan.deployment.remote_id):
        return
    pulled = last_certificate(workspace.batches, form_id, server)
    if pulled is None or not pulled.local_count:
        return
    raise ServerRefused(
        "SERVER-086",
        f"{server}, {form_id}",
        f"The form that was deployed there ({was}) is not seen any more, and {pulled.local_count} submissions came "
        "from it. Placed anew, the next pull would take all of them as deleted.",
        "Use the account that it was deployed with, or let the owner share it with this one. If it is really gone: "
        "--accept-break",
    )


def _carry_out(workspace: Workspace, plan: Plan) -> None:
    noted = plan.deployment
    if plan.ready is not None and plan.action in ("create", "replace"):
        noted = _place(workspace, plan, plan.ready)
    elif plan.action in ("open", "archive"):
        plan.host.set_active(noted.remote_id, active=plan.action == "open")
    if plan.ready is not None:
        keep_version(workspace.versions, plan.ready.built)
    note(workspace, replace(noted, active=plan.ready is not None))
    if plan.let_in:
        plan.host.let_in(noted.remote_id, plan.let_in)


def _place(workspace: Workspace, plan: Plan, ready: Ready) -> Deployment:
    """What is begun is noted first: a run that is killed from here on is known for what it was."""
    begun = PlacedVersion(ready.form.version, "", ready.content, "")
    note(workspace, plan.deployment.with_version(begun))
    placed = plan.host.place(Upload(ready.form, ready.workbook, ready.built.media), plan.deployment.remote_id)
    _refuse_lost_media(plan, ready, placed)
    if not placed.active:
        plan.host.set_active(placed.remote_id, active=True)
    done = replace(begun, remote_version=placed.remote_version, deployed_at=_now())
    return replace(plan.deployment, remote_id=placed.remote_id).with_version(done)


def _refuse_lost_media(plan: Plan, ready: Ready, placed: Placed) -> None:
    lost = [name for name, path in sorted(ready.built.media.items()) if placed.media.get(name) != md5_of(path)]
    if lost:
        raise UnexpectedReply(
            "SERVER-084",
            f"{plan.deployment.server}, {plan.deployment.form_id}",
            f"The server does not give phones the files that were uploaded: {', '.join(lost)}.",
            "Run the same command again; if it stays so, look at the media of the form on the server.",
        )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
