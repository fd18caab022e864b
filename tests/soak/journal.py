"""The journal of a run: which fault came on which day and what it met; dates, names of faults, ids and counts only."""

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

TAIL = 25


@dataclass
class Journal:
    """Kept in memory and, line by line, in a file: what was written is there also after a kill."""

    path: Path
    lines: list[str] = field(default_factory=list)
    met: Counter[str] = field(default_factory=Counter)  # fault -> how often it really met something

    def write(self, on: date, what: str, /, **more: object) -> None:
        """One line."""
        line = json.dumps({"on": on.isoformat(), "what": what, **more}, default=str)
        self.lines.append(line)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def fault(self, on: date, kind: str, /, *, met: bool = True, **more: object) -> None:
        """A fault has come; `met`: something was at work that it could spoil."""
        self.met[kind] += met
        self.write(on, kind, met=met, **more)

    def tail(self) -> str:
        """The last lines."""
        return "\n".join(self.lines[-TAIL:])
