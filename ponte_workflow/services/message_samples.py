"""Every message that Ponte writes, previewed with invented data in every language."""

from dataclasses import dataclass

from notifications.languages import languages_for
from notifications.message import Message
from notifications.registry import MESSAGES
from notifications.rendering import Rendered, render
from notifications.samples import sample
from ponte_workflow.errors import not_found
from ponte_workflow.i18n import gettext as _
from ponte_workflow.services.casework import Occasion
from ponte_workflow.services.permissions import require

PERMISSION = "messages.read"


@dataclass(frozen=True, slots=True)
class MessageTold:
    """One message: what it is, its fields, and how it reads in each language."""

    name: str
    kind: type[Message]
    fields: tuple[tuple[str, bool], ...]  # name, whether it is read only when the message leaves
    rendered: tuple[Rendered, ...]


def message_list(who: Occasion, language: str) -> tuple[MessageTold, ...]:
    """Every message, in one language."""
    require(who.actor, PERMISSION)
    return tuple(_told(name, (language,)) for name in sorted(MESSAGES))


def message(who: Occasion, name: str) -> MessageTold:
    """One message in every language; `NotFound` when there is none of that name."""
    require(who.actor, PERMISSION)
    if name not in MESSAGES:
        raise not_found(_("Message"), name)
    return _told(name, languages_for(MESSAGES[name].audience))


def message_html(who: Occasion, name: str, language: str) -> str:
    """The html part of one message, alone."""
    for one in message(who, name).rendered:
        if one.language == language:
            return one.html
    raise not_found(_("Language"), language)


def _told(name: str, languages: tuple[str, ...]) -> MessageTold:
    kind = MESSAGES[name]
    away = kind.looked_up()
    fields = tuple((field, field in away) for field in kind.model_fields)
    made = sample(kind)
    return MessageTold(name, kind, fields, tuple(render(made, language) for language in languages))
