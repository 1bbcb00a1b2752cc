"""What every part of a policy has in common: unknown keys are errors, values never change."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Word = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Text = Annotated[str, Field(min_length=1)]


class Part(BaseModel):
    """One mapping of a policy file."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)
