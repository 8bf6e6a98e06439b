"""Keys of the embedded server: add, list, revoke."""

from __future__ import annotations

from collections.abc import Sequence

from dialogkit.serve.access import Key, Role
from dialogkit.steps.serve import access_of
from dialogkit.workspace import Workspace


def add_key(workspace: Workspace, label: str, role: Role, *, user: str = "", password: str = "") -> Key:
    """A new key; it works at once, also on a server that is running.

    Args:
        workspace: whose server it is for.
        label: plain text, not the name of a person.
        role: `phone` or `staff`.
        user: name for HTTP digest, for clients that cannot carry a key in the address.
        password: for that name; at least 8 characters. Only a hash of it is kept.

    Raises:
        ServerRefused: SERVER-020, the label or user name cannot be used.
    """
    return access_of(workspace).add_key(label, role, user=user, password=password)


def list_keys(workspace: Workspace) -> Sequence[Key]:
    """Every key, revoked ones too."""
    return access_of(workspace).list_keys()


def revoke_key(workspace: Workspace, label: str) -> Key:
    """Stop a key at once and for good.

    Raises:
        NotOnServer: SERVER-021, no working key has this label.
    """
    return access_of(workspace).revoke_key(label)
