"""What the doctor finds: one thing that was looked at, how it stands, and its remedy."""

from dataclasses import dataclass
from typing import Literal

State = Literal["good", "look", "bad"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. bad: it does not work; look: it will not for long, or is unusual."""

    name: str
    state: State
    what: str
    mend: str = ""
