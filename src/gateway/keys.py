"""The installation's own secrets: made on first start, readable by the owner only, never in the configuration."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from connectors.errors import Misconfigured

_BYTES = 32


def installation_secret(data_dir: Path) -> bytes:
    """The 32 bytes behind tokens and access codes. Raises Misconfigured when the file is damaged or open to others."""
    path = data_dir / "keys" / "secret"
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        secret = path.read_bytes()
        if len(secret) != _BYTES:
            raise Misconfigured(f"{path.name} in the key folder is damaged: restore it from a backup") from None
        if path.stat().st_mode & 0o077:
            raise Misconfigured(f"{path.name} in the key folder may be read by others: chmod 600 it") from None
        return secret
    secret = secrets.token_bytes(_BYTES)
    with os.fdopen(handle, "wb") as file:
        file.write(secret)
        file.flush()
        os.fsync(file.fileno())
    return secret
