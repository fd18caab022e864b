"""Errors of the core, and the findings that say where a pathway document is wrong and how to mend it."""

from dataclasses import dataclass


class StatesError(Exception):
    """Base of this package."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong in a pathway document: where it stands, what it is, how to mend it."""

    file: str
    line: int
    what: str
    mend: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what} → {self.mend}"


class PathwayError(StatesError):
    """A pathway document that must not be used; `findings` lists everything wrong with it."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__("\n".join(str(finding) for finding in findings))
        self.findings = findings


class IllegalConfiguration(StatesError):
    """A stored configuration that the pathway does not know: the case must be set aside, not guessed at."""
