"""The demo's logins: one for each role, with a random password that is told once and kept only as its hash."""

from ponte_workflow import clock
from ponte_workflow.demo.play import STAFF
from ponte_workflow.services.accounts import any_password, random_password, set_password
from ponte_workflow.services.permissions import role_name
from ponte_workflow.store import network
from ponte_workflow.store.engine import Transaction


def first_logins(tx: Transaction) -> list[tuple[str, str, str]]:
    """(role, username, password) of one person in each role; empty when somebody has a password already."""
    if any_password(tx):
        return []
    told, at = [], clock.now()
    there = {member.username: member.id for member in network.members(tx).values()}
    # A demo begun with an older Ponte may lack some.
    by_role = {roles[0]: username for username, _name, _partner, roles in reversed(STAFF) if username in there}
    for role, username in sorted(by_role.items()):
        password = random_password()
        set_password(tx, there[username], password, at=at, must_change=False)
        told.append((role_name(role), username, password))
    return told
