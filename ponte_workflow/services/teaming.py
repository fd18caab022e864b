"""Teams: looked after by whoever looks after people, and by supervisors for their own organisation."""

from dataclasses import dataclass

from ponte_workflow.errors import BadInput, NotAllowed, not_found
from ponte_workflow.i18n import gettext as _
from ponte_workflow.services.casework import Occasion
from ponte_workflow.services.permissions import allowed, require
from ponte_workflow.store import access, network, staffing, teams
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.network import Member
from ponte_workflow.store.teams import TeamRow

READ, MANAGE = "people.read", "people.manage"
LONGEST_NAME = 80


@dataclass(frozen=True, slots=True)
class TeamShown:
    """A team with names. colleagues: everybody active of its organisation, who may be in it."""

    row: TeamRow
    coordinator: Member | None
    members: tuple[Member, ...]
    colleagues: tuple[Member, ...]
    may_change: bool


def all_of(tx: Transaction, who: Occasion) -> tuple[TeamShown, ...]:
    """Every team, with who may be in it."""
    require(who.actor, READ)
    everybody = network.members(tx)
    return tuple(_shown(who, row, everybody) for row in teams.teams(tx))


def one(tx: Transaction, who: Occasion, team_id: int) -> TeamShown:
    """One team."""
    require(who.actor, READ)
    return _shown(who, _row(tx, team_id), network.members(tx))


def organisations(tx: Transaction, who: Occasion) -> tuple[staffing.PartnerLine, ...]:
    """Those in which the actor may make teams."""
    require(who.actor, READ)
    return tuple(one for one in staffing.partners(tx) if _may_change(who, one.id))


def add(tx: Transaction, who: Occasion, partner_code: str, name: str) -> int:
    """A new team of an organisation; its id."""
    require(who.actor, READ)
    partner = next((one for one in staffing.partners(tx) if one.code == partner_code), None)
    if partner is None:
        raise not_found(_("Organisation"), partner_code)
    _require_change(who, partner.id)
    plain = _name(tx, partner.id, name, but=None)
    team_id = teams.add(tx, partner.id, plain)
    _trace(tx, who, team_id, "team added")
    return team_id


def put(
    tx: Transaction, who: Occasion, team_id: int, name: str, coordinator: str | None, members: tuple[str, ...]
) -> None:
    """The team as it shall be (usernames). A coordinator is a supervisor of the organisation and is told first."""
    require(who.actor, READ)
    row = _row(tx, team_id)
    _require_change(who, row.partner_id)
    plain = _name(tx, row.partner_id, name, but=team_id)
    here = {m.username: m for m in network.members(tx).values() if m.partner_id == row.partner_id and m.active}
    if strangers := sorted(set(members) - set(here)):
        raise BadInput(
            _("{names}: nobody active of that name works for this organisation").format(names=", ".join(strangers))
        )
    if coordinator and (coordinator not in here or "supervisor" not in here[coordinator].roles):
        raise BadInput(_("A team is coordinated by a supervisor of its organisation"))
    teams.put(tx, team_id, plain, here[coordinator].id if coordinator else None, [here[m].id for m in members])
    _trace(tx, who, team_id, "team changed")


def remove(tx: Transaction, who: Occasion, team_id: int) -> None:
    """The team is no more; nobody's cases change."""
    require(who.actor, READ)
    _require_change(who, _row(tx, team_id).partner_id)
    teams.remove(tx, team_id)
    _trace(tx, who, team_id, "team removed")


def _shown(who: Occasion, row: TeamRow, everybody: dict[int, Member]) -> TeamShown:
    colleagues = tuple(m for m in everybody.values() if m.partner_id == row.partner_id and m.active)
    members = tuple(m for m in everybody.values() if m.id in row.members)
    return TeamShown(row, everybody.get(row.coordinator_id or 0), members, colleagues, _may_change(who, row.partner_id))


def _row(tx: Transaction, team_id: int) -> TeamRow:
    found = next((row for row in teams.teams(tx) if row.id == team_id), None)
    if found is None:
        raise not_found(_("Team"), str(team_id))
    return found


def _name(tx: Transaction, partner_id: int, name: str, *, but: int | None) -> str:
    plain = " ".join(name.split())
    if not 2 <= len(plain) <= LONGEST_NAME or not plain.isprintable():
        raise BadInput(_("The name of a team has 2 to {n} characters").format(n=LONGEST_NAME))
    if any(row.partner_id == partner_id and row.name == plain and row.id != but for row in teams.teams(tx)):
        raise BadInput(_("There is a team {name} already").format(name=plain))
    return plain


def _may_change(who: Occasion, partner_id: int) -> bool:
    own = "supervisor" in who.actor.roles and who.actor.partner_id == partner_id
    return own or allowed(who.actor, MANAGE)


def _require_change(who: Occasion, partner_id: int) -> None:
    if not _may_change(who, partner_id):
        raise NotAllowed(_("Teams of another organisation are looked after by its supervisor"))


def _trace(tx: Transaction, who: Occasion, team_id: int, what: str) -> None:
    detail = f"team:{team_id} {what}"
    access.record(tx, staff_id=who.actor.staff_id, at=who.at, what="people.change", household_id=None, detail=detail)
