"""Step "detection": contained arrears open a case once, serious and persistent ones go on a supervisor's list."""

from ponte_workflow.errors import NeedsMissing, NotAllowed, TriggerNotAllowedHere
from ponte_workflow.i18n import gettext as _
from ponte_workflow.i18n import language
from ponte_workflow.services import casework, detection
from ponte_workflow.services.detection import TenancyVerdict
from ponte_workflow.services.night.context import Night, Skip
from ponte_workflow.services.night.freshness import ledgers_are_fresh
from ponte_workflow.services.night.guarding import guarded
from ponte_workflow.services.night.words import euros
from ponte_workflow.store import cases, held, listings
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.network import quarters
from ponte_workflow.store.nights import StepCounts, count_step
from states.snapshot import Triggered

STEP = "detection"
LISTED = ("serious", "persistent")
AGAIN = "again"  # contained arrears where a case was closed before: a supervisor decides whether to reopen it
BEFORE_ENGAGEMENT = ("detected", "screening", "engagement.to_contact")
WHEN_GONE = ("cleared", "propose_closing")


def detect(night: Night, shard: int) -> StepCounts:
    """Classify every tenancy. Skipped while the ledgers are stale. Counts: not regular, acted on, set aside."""
    if not ledgers_are_fresh(night):
        raise Skip("stale ledgers")
    with night.unit() as tx:
        pathways = {quarter.code: quarter.pathway for quarter in quarters(tx)}
        parameters = night.pathways.detection_parameters(pathways)
        verdicts = {v.tenancy_id: v for v in detection.classify_all(tx, night.on, parameters, skip_regular=True)}
        acted = _open(night, tx, verdicts, pathways) + _list(night, tx, verdicts)
        counts = StepCounts(len(verdicts), acted, 0)
        count_step(tx, night.id, STEP, shard, counts, anew=("looked_at",))
    return counts + _vanished(night, verdicts)


def _open(night: Night, tx: Transaction, verdicts: dict[int, TenancyVerdict], pathways: dict[str, str]) -> int:
    contained = [verdict for verdict in verdicts.values() if verdict.class_ == "contained"]
    with_case = listings.tenancies_with_a_case(tx)  # tenancy id -> open?
    held_back = held.of_night(tx, night.on)
    opened = 0
    for verdict in contained:
        if verdict.tenancy_id in with_case:
            continue
        subject = f"open:{verdict.tenancy_id}"
        if subject in held_back:
            what = _("open a case of tenancy {code}").format(code=verdict.code)
            night.tell_held(STEP, None, what, held_back[subject], subject=subject, quarter_id=verdict.quarter_id)
            continue
        figures = verdict.figures
        row = casework.open_case(
            tx,
            night.who,
            tenancy_id=verdict.tenancy_id,
            household_id=verdict.household_id,
            quarter_id=verdict.quarter_id,
            pathway=pathways[verdict.quarter_code],
            why={
                "class": "contained",
                "balance_cents": figures.balance_cents,
                "monthly_cents": figures.monthly_cents,
                "balance_year_ago_cents": figures.year_ago_cents,
            },
        )
        night.tell(
            STEP,
            row.code,
            _("open a case of tenancy {code}").format(code=verdict.code),
            _("contained arrears: {figures}").format(figures=_figures(verdict)),
            subject=subject,
            quarter_id=verdict.quarter_id,
        )
        opened += 1
    again = {v.tenancy_id: v for v in contained if with_case.get(v.tenancy_id) is False}
    return opened + _keep_list(night, tx, AGAIN, again)


def _list(night: Night, tx: Transaction, verdicts: dict[int, TenancyVerdict]) -> int:
    return sum(_keep_list(night, tx, kind, {t: v for t, v in verdicts.items() if v.class_ == kind}) for kind in LISTED)


def _keep_list(night: Night, tx: Transaction, kind: str, wanted: dict[int, TenancyVerdict]) -> int:
    figures = {
        tenancy: {
            "balance_cents": v.figures.balance_cents,
            "balance_year_ago_cents": v.figures.year_ago_cents,
            "monthly_cents": v.figures.monthly_cents,
        }
        for tenancy, v in wanted.items()
    }
    added = listings.keep(tx, kind, figures, night.on)
    for tenancy in added:
        verdict = wanted[tenancy]
        what = _("list tenancy {code}: {kind}").format(code=verdict.code, kind=_kind(kind))
        night.tell(STEP, None, what, _figures(verdict), quarter_id=verdict.quarter_id)
    return len(added)


def _vanished(night: Night, verdicts: dict[int, TenancyVerdict]) -> StepCounts:
    """Cases before engagement whose arrears are gone: those nobody has taken yet close, the others are proposed for it."""
    with night.unit() as tx:
        early = [
            one
            for stage in BEFORE_ENGAGEMENT
            for one in listings.open_cases_in(tx, stage)
            if one[1] not in verdicts or verdicts[one[1]].class_ == "watch"
        ]
    total = StepCounts()
    for case_id, _tenancy in early:
        total += guarded(night, STEP, case_id, lambda tx, case_id: _propose(night, tx, case_id), looked=0)
    return total


def _propose(night: Night, tx: Transaction, case_id: int) -> bool:
    row = cases.by_id(tx, case_id)
    if row.paused:
        night.tell(STEP, row.code, _("propose closing"), _("the case is paused"), done=False)
        return False
    standing = casework.stand(tx, night.who, row)
    for trigger in WHEN_GONE:
        if standing.pathway.household.trigger(row.configuration, trigger) is None:
            continue
        try:
            casework.fire(tx, night.who, standing, Triggered(trigger, night.who.actor.roles))
        except (NeedsMissing, TriggerNotAllowedHere):
            continue  # proposed already, or some arrears are left
        except NotAllowed:
            continue  # from here on closing is a person's decision
        label = next(iter(standing.pathway.household.triggers[trigger].values())).label.in_(language())
        night.tell(STEP, row.code, label, _("the arrears have vanished before engagement"))
        return True
    return False


def _figures(verdict: TenancyVerdict) -> str:
    figures = verdict.figures
    return _("balance {balance}, monthly {monthly}").format(
        balance=euros(figures.balance_cents), monthly=euros(figures.monthly_cents)
    )


def _kind(kind: str) -> str:
    names = {
        "serious": _("serious arrears"),
        "persistent": _("persistent arrears"),
        AGAIN: _("arrears again after a closed case"),
    }
    return names[kind]
