"""Endpoints about who one is and what server this is: token, me, environment, users, the rights there are."""

from __future__ import annotations

import hashlib
from typing import Any

from starlette.responses import Response

from tests.lookalikes.kobo.asking import Asking, Refused, answer
from tests.lookalikes.kobo.asset import IMPLIED
from tests.lookalikes.kobo.marks import now, seconds
from tests.lookalikes.kobo.shown import paged

_CONTRADICTORY = {
    "change_submissions": ("partial_submissions",),
    "delete_submissions": ("partial_submissions",),
    "validate_submissions": ("partial_submissions",),
    "view_submissions": ("partial_submissions",),
    "partial_submissions": (
        "view_submissions",
        "change_submissions",
        "delete_submissions",
        "validate_submissions",
        "manage_asset",
    ),
}


_NAMES = {
    "add_submissions": "Can submit data to asset",
    "change_submissions": "Can modify submitted data for asset",
    "delete_submissions": "Can delete submitted data for asset",
    "discover_asset": "Can discover asset in public lists",
    "manage_asset": "Can manage all aspects of asset",
    "partial_submissions": "Can make partial actions on submitted data for asset for specific users",
    "validate_submissions": "Can validate submitted data asset",
    "view_submissions": "Can view submitted data for asset",
}


async def token(asking: Asking) -> Response:
    return answer({"token": asking.must_be_somebody().token})


async def me(asking: Asking) -> Response:
    user = asking.must_be_somebody()
    email = f"{user.name}@example.org"
    organization = "org" + hashlib.sha1(user.name.encode()).hexdigest()[:21]
    return answer(
        {
            "username": user.name,
            "first_name": "",
            "last_name": "",
            "email": email,
            "is_superuser": False,
            "server_time": seconds(now()),
            "date_joined": "2026-11-20T12:42:01Z",
            "projects_url": f"{asking.state.kc_base}/{user.name}",
            "gravatar": f"https://www.gravatar.com/avatar/{hashlib.md5(email.encode()).hexdigest()}?s=40",
            "last_login": None,
            "extra_details": {
                "name": user.name.title(),
                "sector": "x",
                "country": "CAN",
                "organization": "Local",
                "require_auth": True,
            },
            "git_rev": False,
            "social_accounts": [],
            "validated_password": True,
            "accepted_tos": False,
            "organization": {
                "url": asking.shown.url(f"organizations/{organization}/"),
                "name": "Local",
                "uid": organization,
            },
            "extra_details__uid": user.uid,
        }
    )


async def environment(asking: Asking) -> Response:
    """What a client reads of it: where phones go, and how long the history is kept."""
    return answer({"open_rosa_server": asking.state.kc_base, "project_history_log_lifespan": 60})


async def user(asking: Asking) -> Response:
    if asking["user"] not in asking.state.users:
        raise Refused(404, "Not found.")
    return answer(
        {
            "url": asking.shown.url(f"users/{asking['user']}/"),
            "username": asking["user"],
            "date_joined": "2026-11-20T12:42:02Z",
            "public_collection_subscribers_count": 0,
            "public_collections_count": 0,
        }
    )


async def permissions(asking: Asking) -> Response:
    def link(name: str) -> str:
        return asking.shown.url(f"permissions/{name}/")

    results: list[dict[str, Any]] = [
        {
            "url": link(name),
            "codename": name,
            "implied": [link(one) for one in IMPLIED[name]],
            "contradictory": [link(one) for one in _CONTRADICTORY.get(name, ())],
            "name": _NAMES.get(name, f"Can {name.replace('_', ' ')}"),
        }
        for name in sorted(IMPLIED)
    ]
    return answer(paged(results))
