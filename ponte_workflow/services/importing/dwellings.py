"""Dwellings with their contract: quarter, building, dwelling, tenancy and, for a new one, its household."""

from ponte_workflow.i18n import gettext as _
from ponte_workflow.services.importing.chunks import ImportOfFile
from ponte_workflow.services.importing.formats import Amounts, Dates, Refused, word
from ponte_workflow.services.importing.readers import Line
from ponte_workflow.store import territory
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.territory import DwellingRow, TenancyRow


def take_dwellings(work: ImportOfFile, tx: Transaction, chunk: list[Line]) -> None:
    """Upsert a chunk; a building in another quarter than before is refused."""
    dates, amounts, places = Dates(work.latest), Amounts(), territory.load_places(tx)
    dwellings: dict[str, DwellingRow] = {}
    tenancies: dict[str, TenancyRow] = {}
    for line in chunk:
        try:
            dwelling, tenancy = _parse(work.readable(line), dates, amounts)
            quarter = places.quarter_of_building(tx, dwelling.quarter, dwelling.building)
        except Refused as reason:
            work.rejects.refuse(line, str(reason))
            continue
        if quarter != dwelling.quarter:
            work.rejects.refuse(
                line,
                _("the building {name} lies in the quarter {quarter}").format(name=dwelling.building, quarter=quarter),
            )
            continue
        # A later line on the same dwelling or tenancy holds.
        _count(work, dwellings.get(dwelling.code) == dwelling and tenancy is None)
        dwellings[dwelling.code] = dwelling
        if tenancy is not None:
            tenancies[tenancy.code] = tenancy
    new, changed, same = territory.upsert(tx, places, list(dwellings.values()), list(tenancies.values()))
    work.report.new += new
    work.report.changed += changed
    work.report.known += same


def _count(work: ImportOfFile, repeated: bool) -> None:
    if repeated:
        work.report.known += 1


def _parse(fields: list[str], dates: Dates, amounts: Amounts) -> tuple[DwellingRow, TenancyRow | None]:
    code, building, quarter, address, stair, unit, tenancy, since, rent, service = fields
    dwelling = DwellingRow(
        code=word(code, "COD_UI", 40),
        building=word(building, "EDIFICIO", 100),
        quarter=word(quarter, "QUARTIERE", 100),
        address=word(address, "INDIRIZZO", 200),
        stair=word(stair, "SCALA", 20, may_be_empty=True),
        unit=word(unit, "INTERNO", 20, may_be_empty=True),
    )
    if not tenancy.strip():
        return dwelling, None  # vacant
    monthly = amounts[rent], amounts[service]
    if min(monthly) < 0:
        raise Refused(_("a monthly amount is negative"))
    return dwelling, TenancyRow(
        word(tenancy, "COD_UTENTE", 40), dwelling.code, dwelling.quarter, dates[since], *monthly
    )
