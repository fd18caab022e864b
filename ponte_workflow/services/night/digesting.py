"""Step "digests": one mail a morning for each worker, gathered from what the nights had to say."""

from ponte_workflow.i18n import gettext as _
from ponte_workflow.services.night.context import Night, Skip
from ponte_workflow.store import digests
from ponte_workflow.store.network import members
from ponte_workflow.store.nights import StepCounts, count_step

STEP = "digests"


def gather_digests(night: Night, shard: int) -> StepCounts:
    """Gather the waiting notices. A missed night sends none: what it found comes with the next real one, once."""
    if night.replayed:
        raise Skip("a missed night: its notices come with the next digest")
    total = StepCounts()
    with night.unit() as tx:
        lead = night.directory(tx).holder("lead", assigned_to=None, partner_id=None, quarter_id=0)
        if lead is not None:
            digests.readdress(tx, f"staff:{lead}")
        staff = members(tx)
        for recipient in digests.waiting_recipients(tx):
            notices = digests.gather(tx, recipient, night.on, night.at)
            total += StepCounts(notices, 1 if notices else 0, 0)
            if notices:
                name = staff[int(recipient.partition(":")[2])].username
                night.tell(
                    STEP, None, _("morning mail to {name}").format(name=name), _("{n} notices").format(n=notices)
                )
        count_step(tx, night.id, STEP, shard, total)
    return total
