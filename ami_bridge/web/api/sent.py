"""What programs send."""

from pydantic import BaseModel, ConfigDict


class Sent(BaseModel):
    """A body that a program sends. One with a field that nobody knows is refused: of a search it would find everything."""

    model_config = ConfigDict(extra="forbid")
