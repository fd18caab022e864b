"""A token in the database that only the right field key opens: a wrong key is refused at start, not at the first name."""

from sqlalchemy import insert, select

from ponte_workflow.store.engine import Store
from ponte_workflow.store.schema.network import key_check

TEXT = "ponte"


def check(store: Store) -> None:
    """Raise `WrongKey` unless the key opens the token; the first key ever used writes it."""
    with store.transaction() as tx:
        token = tx.connection.execute(select(key_check.c.token)).scalar()
        if token is None:
            tx.connection.execute(insert(key_check).values(id=1, token=tx.cipher.encrypt(TEXT)))
        else:
            tx.cipher.decrypt(token)
