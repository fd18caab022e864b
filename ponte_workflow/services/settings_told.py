"""The settings as a page may show them: value, where it comes from, and of a secret only whether it is set."""

import re
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr

from ponte_workflow.config import PREFIX, Settings
from ponte_workflow.i18n import gettext as _
from ponte_workflow.services.casework import Occasion
from ponte_workflow.services.permissions import require

# Whatever stands before the @ of an address, and whatever follows its ?: logins, passwords, tokens.
_LOGIN = re.compile(r"//[^/?#]*@")
_QUERY = re.compile(r"\?.*")


@dataclass(frozen=True, slots=True)
class SettingTold:
    """One setting. `value` None: not set, or a secret."""

    variable: str
    value: str | None
    secret: bool
    set: bool
    given: bool  # by the environment; else it is the default
    description: str


def settings_told(settings: Settings, who: Occasion) -> tuple[SettingTold, ...]:
    """Every setting, in the order of config.py."""
    require(who.actor, "settings.read")
    found = []
    for name, field in type(settings).model_fields.items():
        value: Any = getattr(settings, name)
        secret = "SecretStr" in str(field.annotation)
        assert secret or not isinstance(value, SecretStr)
        found.append(
            SettingTold(
                PREFIX + name.upper(),
                None if secret or value is None else _readable(str(value)),
                secret,
                value is not None and value != "",
                name in settings.model_fields_set,
                _(field.description) if field.description else "",
            )
        )
    return tuple(found)


def _readable(value: str) -> str:
    if "://" not in value:
        return value
    return _QUERY.sub("?…", _LOGIN.sub(f"//{_('(login hidden)')}@", value))
