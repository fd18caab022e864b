"""Least privilege on PostgreSQL: what the web application and the night may do in the database, and nothing else.

The owner keeps the schema (`ponte db upgrade`), the field keys' rotation and the erasure of persons.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import Engine, text
from sqlalchemy.exc import ProgrammingError

from ponte_workflow.errors import BadConfiguration, BadInput
from ponte_workflow.i18n import gettext as _
from ponte_workflow.store.append_only import KEPT
from ponte_workflow.store.rotation import SEALED
from ponte_workflow.store.schema import metadata

MAY_NOT = "42501"  # PostgreSQL: insufficient privilege
NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")
# The owner writes them; everybody reads them: the version at every start, the key's token to know the key.
OWNERS = frozenset({"alembic_version", "key_check"})
# Passwords, sessions, tokens, drafts: no business of the night's.
NEVER_AT_NIGHT = frozenset(
    {"api_token", "calendar_feed", "credential", "draft", "idempotent_call", "recovery_code", "web_session"}
)
# Only the night seals.
NEVER_BY_DAY = frozenset({"certificate"})
# From where the program takes rows away; a test reads the store for it.
DELETED = frozenset(
    {
        "clock",
        "draft",
        "held_action",
        "idempotent_call",
        "invitation",
        "journey",
        "local_service_quarter",
        "month_flow",
        "partner_quarter",
        "pause",
        "pip_action",
        "pip_signature",
        "pip_version",
        "placement",
        "placement_check",
        "projection",
        "recovery_code",
        "referral",
        "snooze",
        "staff_role",
        "state_figures",
        "stay",
        "task_snooze",
        "team",
        "team_member",
    }
)
MARKS_THAT_ARE_SEALED = {"pec_mail": frozenset({"note"})}  # written when somebody has seen to a mail


class Names(NamedTuple):
    """How the two roles are called."""

    web: str = "ponte_web"
    night: str = "ponte_night"


def statements(database: str, schema: str, names: Names) -> Iterator[str]:
    """The SQL, in order; run again it comes to the same. Refuses names that somebody would have to quote."""
    for name in names:
        if NAME.fullmatch(name) is None:
            raise BadInput(_("{name} is no name for a role: small letters, figures and _").format(name=name))
    if names.web == names.night:
        raise BadInput(_("The two roles need two names"))
    place = _quoted(schema)
    yield f"REVOKE CREATE ON SCHEMA {place} FROM PUBLIC"
    for name in names:
        role = _quoted(name)
        yield (
            f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{name}') "
            f"THEN CREATE ROLE {role} NOLOGIN; END IF; END $$"
        )
        yield f"GRANT CONNECT, TEMPORARY ON DATABASE {_quoted(database)} TO {role}"
        yield f"GRANT USAGE ON SCHEMA {place} TO {role}"
        yield f"REVOKE ALL ON ALL TABLES IN SCHEMA {place} FROM {role}"
        yield f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {place} TO {role}"
        yield f"GRANT SELECT ON {place}.alembic_version TO {role}"
        hidden, unwritten = (NEVER_AT_NIGHT, frozenset()) if name == names.night else (frozenset(), NEVER_BY_DAY)
        for table in sorted(metadata.tables):
            if table not in hidden:
                yield f"GRANT {_rights(table, writes=table not in unwritten)} ON {place}.{_quoted(table)} TO {role}"
    wait = f"FUNCTION {place}.ponte_wait_for_history()"
    yield f"REVOKE ALL ON {wait} FROM PUBLIC"
    yield f"GRANT EXECUTE ON {wait} TO {_quoted(names.night)}"


def here(engine: Engine, names: Names) -> list[str]:
    """The SQL for this very database; refused on SQLite, which has no roles."""
    if engine.dialect.name != "postgresql":
        raise BadConfiguration(_("SQLite has no roles: whoever has its file has everything. Set PONTE_DATABASE_URL"))
    with engine.connect() as connection:
        row = connection.execute(text("SELECT current_database(), current_schema()")).one()
    return list(statements(row[0], row[1], names))


def apply(engine: Engine, wanted: list[str]) -> None:
    """Run it all, or nothing of it; as the owner of the tables, who may also make roles. `BadConfiguration`: who may not."""
    try:
        with engine.begin() as connection:
            for statement in wanted:
                connection.exec_driver_sql(statement)
    except ProgrammingError as error:
        if getattr(error.orig, "sqlstate", None) != MAY_NOT:
            raise
        raise BadConfiguration(
            _(
                "{user} may not make roles and give them rights: ALTER ROLE {user} CREATEROLE, or let the database's "
                "administrator run what “ponte db roles” prints. Nothing was changed"
            ).format(user=engine.url.username)
        ) from error


def _rights(table: str, *, writes: bool) -> str:
    if table in OWNERS or not writes:
        return "SELECT"
    rights = ["SELECT", "INSERT"]
    kept = KEPT.get(table)
    if kept is None or kept.open is None:
        rights.append("UPDATE")
    elif marks := kept.open - set(SEALED.get(table, ())) | MARKS_THAT_ARE_SEALED.get(table, frozenset()):
        rights.append(f"UPDATE ({', '.join(_quoted(one) for one in sorted(marks))})")
    return ", ".join([*rights, *(["DELETE"] if table in DELETED else [])])


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
