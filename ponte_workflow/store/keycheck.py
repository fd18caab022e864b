"""A token that only the right field key opens: a wrong key is refused at start, not at the first name."""

from sqlalchemy import select, text

from ponte_workflow.store.engine import Store
from ponte_workflow.store.schema.network import key_check

TEXT = "ponte"
# Two processes may be the first at once: one row wins, and both have to open that one.
FIRST = text("INSERT INTO key_check (id, token) VALUES (1, :token) ON CONFLICT DO NOTHING")


def check(store: Store) -> None:
    """Raise `WrongKey` unless the key opens the token; the first key ever used writes it."""
    query = select(key_check.c.token)
    with store.reading() as tx:  # it waits for nobody who writes
        token = tx.connection.execute(query).scalar()
    if token is None:
        with store.transaction() as tx:
            tx.connection.execute(FIRST, {"token": tx.cipher.encrypt(TEXT)})
            token = tx.connection.execute(query).scalar_one()
    store.cipher.decrypt(token)
