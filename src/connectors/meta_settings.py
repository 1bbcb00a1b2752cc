"""Settings that every channel at Meta has, with their sentence; each connector gives them in its own order."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from connectors.signing import Secret, Secrets

AppSecrets = Annotated[
    Secrets,
    Field(
        description="App secrets that sign the webhooks, newest first; keep the old one until Meta uses the new one."
    ),
]
VerifyToken = Annotated[
    Secret, Field(description="The word that you type into Meta's console when you register the webhook.")
]
ApiVersion = Annotated[
    str,
    Field(pattern=r"^v[0-9]{1,3}\.[0-9]$", description="Version of the Graph API, as it stands in addresses."),
]
Timeout = Annotated[float, Field(gt=0, le=120, description="How long one call of the Graph API may take, in seconds.")]
MediaTimeout = Annotated[
    float, Field(gt=0, le=3600, description="How long the download of one attachment may take, in seconds.")
]
#: The newest version that the connectors were written for.
API_VERSION = "v26.0"
