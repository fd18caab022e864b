"""Errors of Ponte: each has a status code and a sentence that a case worker can act on."""

from ponte_workflow.i18n import gettext as _


class PonteError(Exception):
    """Base of all refusals. `status` is the HTTP-like code; the console exits with `exit_code`."""

    status = 400
    exit_code = 1

    def __init__(self, sentence: str, failures: tuple[object, ...] = ()) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.failures = failures  # states.decision.Failure: what exactly, by need or field, and who can fix it


class NotFound(PonteError):
    """Nothing by that name or code."""

    status = 404


class NotAllowed(PonteError):
    """The person acting has not the right."""

    status = 403


class UnknownTrigger(PonteError):
    """The pathway knows no such trigger."""

    status = 404


class TriggerNotAllowedHere(PonteError):
    """The trigger exists but not from the state in which the case stands."""

    status = 409


class NeedsMissing(PonteError):
    """Guards failed; `failures` lists each in plain words with who can fix it."""

    status = 422


class InvalidField(PonteError):
    """A field of a trigger is missing or unreadable."""

    status = 422


class CaseChanged(PonteError):
    """Somebody else changed the case meanwhile (optimistic version)."""

    status = 409


class CannotUndo(PonteError):
    """The last step cannot be taken back."""

    status = 409


class BadInput(PonteError):
    """A file or value from outside cannot be read."""

    status = 422


class BadConfiguration(PonteError):
    """Settings, key, database version or pathway are not usable: Ponte refuses to start."""

    status = 500


class WrongKey(BadConfiguration):
    """The key does not open this database."""


class WrongSchema(BadConfiguration):
    """The database has another version than the program."""


def not_found(what: str, name: str) -> NotFound:
    """A `NotFound` with the usual sentence."""
    return NotFound(_("{what} {name} not found").format(what=what, name=name))
