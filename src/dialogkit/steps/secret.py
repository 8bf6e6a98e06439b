"""Secrets: from the environment, or from the keyring of the system where the package keyring is installed.

dialogkit.toml names them only. In the keyring they stand under the service `dialogkit`, with the same name.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Final

from dialogkit.config import FILE_NAME
from dialogkit.errors import ConfigError

try:
    import keyring
    from keyring.errors import KeyringError
except ImportError:  # an extra: dialogkit[keyring]
    keyring = None  # type: ignore[assignment] # says that it is not there

_SERVICE: Final = "dialogkit"


def secret(where: str, name: str, what: str) -> str:
    """The secret of this name.

    Args:
        where: the key of dialogkit.toml that names it, such as `servers.kobo.token_env`.
        name: of the environment variable.
        what: it is, for the message.

    Raises:
        ConfigError: CONFIG-030 dialogkit.toml names none, CONFIG-009 it is set nowhere.
    """
    if not name:
        key = where.rpartition(".")[2]
        raise ConfigError(
            "CONFIG-030",
            f"{FILE_NAME}, {where}",
            f"It is not said where {what} is.",
            f'Add {key} = "NAME": the name of an environment variable that holds it. Never the secret itself.',
        )
    found = os.environ.get(name) or _from_keyring(name)
    if found:
        return found
    raise ConfigError(
        "CONFIG-009",
        f"{FILE_NAME}, {where}",
        f"The environment variable {name} is not set.",
        f"Set it to {what}: export {name}=…   or keep it in the keyring: keyring set {_SERVICE} {name}",
    )


def _from_keyring(name: str) -> str:
    if keyring is None:
        return ""
    with suppress(KeyringError):
        return keyring.get_password(_SERVICE, name) or ""
    return ""
