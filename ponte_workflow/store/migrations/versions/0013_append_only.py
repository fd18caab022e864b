"""History by nature is kept by the database: triggers on every such table, on both kinds, and against TRUNCATE.

What 0001 and 0008 began for histories, certificates and the emporio's book. The tables are those of store/append_only.py
at this revision; columns that are left out here may be changed (marks that are set later, texts sealed anew or erased).
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

# Tables that earlier migrations keep already.
BEFORE = {
    "certificate": ("UPDATE", "DELETE"),
    "emporio_entry": ("UPDATE", "DELETE"),
    "evidence": ("DELETE",),
    "history": ("UPDATE", "DELETE"),
}
WHOLE = (
    "access",
    "certificate",
    "emporio_entry",
    "handover_case",
    "history",
    "instalment_part",
    "letter_batch",
    "movement",
    "notice",
    "pagopa_receipt",
    "pathway_version",
    "plan_signature",
)
COLUMNS = {
    "break_glass": ("id", "staff_id", "case_id", "at"),
    "consent": ("id", "household_id", "person_id", "kind", "given_on", "recorded_by", "history_id"),
    "contact_attempt": ("id", "case_id", "on", "channel", "outcome", "by", "history_id"),
    "delivery_event": ("id", "outbox_id", "at", "kind", "reference", "detail", "channel"),
    "evidence": ("outbox_id", "channel", "message_id", "accepted_at", "way", "pieces", "cents", "month"),
    "fact": ("id", "case_id", "person_id", "name", "value", "on", "history_id"),
    "handover": ("id", "from_id", "to_id", "by_id", "at", "on", "until_on"),
    "history_detail": ("history_id", "salt"),
    "pec_mail": ("id", "digest", "received_at", "kind", "identifier", "outbox_id", "place", "whole"),
    "plan_allocation": (
        "id",
        "plan_id",
        "number",
        "creditor_id",
        "source",
        "source_id",
        "paid_on",
        "cents",
        "since_on",
    ),
    "returned_mail": ("id", "digest", "read_at", "verdict", "status", "why", "outbox_id"),
    "special_note": ("id", "case_id", "person_id", "history_id"),
    "vulnerability_flag": ("id", "household_id", "person_id", "kind", "set_on", "until_on", "set_by", "history_id"),
    "vulnerability_lift": ("id", "flag_id", "on", "by", "history_id"),
}
ERASABLE = ("history_detail", "returned_mail", "special_note", "vulnerability_flag", "vulnerability_lift")
ROWS = ("import_file", "instalment", "letter", "night", "night_step", "outbox", "payment_plan", "pec_sent")


def upgrade() -> None:
    for table in WHOLE:
        _refuse(table, "UPDATE")
    for table, columns in COLUMNS.items():
        _refuse(table, "UPDATE", columns)
    for table in (*WHOLE, *COLUMNS, *ROWS):
        if table not in ERASABLE:
            _refuse(table, "DELETE")
    if op.get_bind().dialect.name == "postgresql":
        for table in (*WHOLE, *COLUMNS, *ROWS):
            op.execute(
                f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION ponte_append_only()"
            )
        _let_the_night_wait()


def downgrade() -> None:
    raise NotImplementedError("0013 cannot be taken back: restore a backup")


def _refuse(table: str, verb: str, columns: tuple[str, ...] = ()) -> None:
    """A trigger; with columns it refuses only a change of theirs."""
    if verb in BEFORE.get(table, ()):
        return
    postgresql = op.get_bind().dialect.name == "postgresql"
    differs = "IS DISTINCT FROM" if postgresql else "IS NOT"
    changed = " OR ".join(f'OLD."{column}" {differs} NEW."{column}"' for column in columns)
    when = f" WHEN ({changed})" if columns else ""
    action = (
        "EXECUTE FUNCTION ponte_append_only()"
        if postgresql
        else f"BEGIN SELECT RAISE(ABORT, 'table {table} is append-only'); END"
    )
    op.execute(f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} FOR EACH ROW{when} {action}")


def _let_the_night_wait() -> None:
    """The lock that a certificate is sealed under, for a role that may not change histories: PostgreSQL gives SHARE
    to nobody else. It can do nothing but wait; `ponte db roles` says who may call it."""
    schema = op.get_bind().scalar(sa.text("SELECT quote_ident(current_schema())"))
    op.execute(
        "CREATE FUNCTION ponte_wait_for_history() RETURNS void LANGUAGE plpgsql SECURITY DEFINER "
        f"SET search_path = {schema}, pg_temp AS $$ BEGIN LOCK TABLE {schema}.history IN SHARE MODE; END $$"
    )
    op.execute("REVOKE ALL ON FUNCTION ponte_wait_for_history() FROM PUBLIC")
