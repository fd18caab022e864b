"""Placements that one may see: who works where, since when, and what the checks say."""

from ponte_workflow.services.casework import Occasion
from ponte_workflow.services.permissions import require
from ponte_workflow.services.rights import sight
from ponte_workflow.services.worktray import trace_list
from ponte_workflow.store import placements
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.placements import Placement
from states.document import Text

MOST = 200
KINDS = {
    "tirocinio": Text(it="Tirocinio", en="Traineeship"),
    "fixed_term": Text(it="Tempo determinato", en="Fixed term"),
    "permanent": Text(it="Tempo indeterminato", en="Permanent"),
    "self_employed": Text(it="Lavoro autonomo", en="Self-employed"),
}
WAGES = {
    "below_500": Text(it="meno di 500 euro", en="below 500 euros"),
    "from_500": Text(it="500-1.000 euro", en="500-1,000 euros"),
    "from_1000": Text(it="1.000-1.500 euro", en="1,000-1,500 euros"),
    "from_1500": Text(it="oltre 1.500 euro", en="over 1,500 euros"),
}
ENDS = {
    "contract_over": Text(it="contratto o tirocinio concluso", en="contract or traineeship over"),
    "dismissed": Text(it="licenziamento", en="dismissed"),
    "resigned": Text(it="dimissioni", en="resigned"),
    "health": Text(it="motivi di salute", en="health"),
    "other": Text(it="altro", en="other"),
}
CHECKS = {
    "well": Text(it="va bene", en="goes well"),
    "difficulties": Text(it="ci sono difficoltà", en="there are difficulties"),
    "not_reached": Text(it="non raggiunti", en="not reached"),
}


def seen(tx: Transaction, who: Occasion, *, running: bool) -> tuple[Placement, ...]:
    """The newest placements of the cases that the actor may see, 200 at most; `running`: those that last."""
    require(who.actor, "casework")
    found = placements.seen(tx, sight(who.actor), running=running, limit=MOST)
    trace_list(tx, who, "placements")
    return tuple(found)
