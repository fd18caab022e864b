"""Ledgers: each line a charge or a payment, on an account of a tenancy towards a creditor."""

from array import array
from datetime import date
from itertools import islice

from ponte_workflow.i18n import gettext as _
from ponte_workflow.services.importing.chunks import ImportOfFile
from ponte_workflow.services.importing.formats import Amounts, Dates, Refused, learn, word
from ponte_workflow.services.importing.readers import Line
from ponte_workflow.store import balances, ledger
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.ledger import IncomingMovement

_CHUNK = 20_000  # lines read, looked up and staged at once
_CHUNKS_SETTLED = 6  # chunks written to the movements at once
# Chunks in one transaction. A ledger that comes second adds to months already open: the more at once, the fewer times.
_CHUNKS_COMMITTED = 18
_ACCOUNTS = 150_000  # accounts remembered between chunks: 40 MB, however many a ledger has
ITEMS = {"CANONE": "canone", "SPESE": "spese"}

_Key = tuple[str, str, str]  # an account: tenancy code, item, creditor
# Line, account, booked, effective, cents, is payment, external id, cause, IUV.
_Parsed = tuple[Line, _Key, str, str, int, bool, str, str, str | None]


class LedgerReader:
    """Reads one ledger file; the dictionaries of dates and amounts live as long as the file."""

    def __init__(self, work: ImportOfFile) -> None:
        self._work = work
        self._dates = Dates(work.latest)
        self._amounts = Amounts()
        self._items = _Items()
        self._creditors = _Creditors()
        self._accounts_seen: dict[_Key, tuple[int, int]] = {}
        self._newest = ""
        self._conflicts = array("q")

    def take(self) -> None:
        """Import the file; lines that contradict a known movement are refused at the end, when they are read again."""
        lines, report = self._work.lines(), self._work.report
        chunk = list(islice(lines, _CHUNK))
        while chunk:
            with self._work.store.transaction() as tx:
                before = ledger.begin_staging(tx)
                for turn in range(1, _CHUNKS_COMMITTED + 1):
                    report.read += len(chunk)
                    self._stage(tx, chunk)
                    chunk = list(islice(lines, _CHUNK))
                    if not chunk or turn % _CHUNKS_SETTLED == 0:
                        self._settle(tx)
                    if not chunk:
                        break
                balances.add_movements_after(tx, before)
                report.ledger_on = date.fromisoformat(self._newest) if self._newest else None
                self._work.record(tx)
        self._refuse_conflicts()

    def _settle(self, tx: Transaction) -> None:
        settled = ledger.settle(tx, self._work.import_id)
        self._work.report.new += settled.new
        self._work.report.known += settled.known
        self._conflicts.extend(settled.conflicts)

    def _stage(self, tx: Transaction, chunk: list[Line]) -> None:
        parsed, refuse = [], self._work.rejects.refuse
        parse = self._parse
        for line in chunk:
            try:
                parsed.append(parse(line))
            except Refused as reason:
                refuse(line, str(reason))
        accounts = self._known_accounts(tx, {one[1] for one in parsed})
        staged: list[IncomingMovement] = []
        for line, key, booked, effective, cents, is_payment, external_id, cause, iuv in parsed:
            found = accounts.get(key)
            if found is None:
                refuse(line, _("unknown tenancy {code}: import its dwelling first").format(code=key[0]))
                continue
            staged.append((line[0], *found, external_id, booked, effective, cents, is_payment, cause, iuv))
        if staged:
            self._newest = max(self._newest, max(one[4] for one in staged))
            ledger.stage(tx, staged)

    def _parse(self, line: Line) -> _Parsed:
        (external_id, code, _dwelling, item, creditor, booked_on, due_on, cause, charged, paid, iuv) = (
            self._work.readable(line)
        )
        booked = self._dates[booked_on]
        due = self._dates[due_on] if due_on else ""
        charge = self._amounts[charged] if charged else None
        payment = self._amounts[paid] if paid else None
        if charge is not None and payment is not None:
            raise Refused(_("both amounts: DARE and AVERE are filled in"))
        external_id, cause, iuv = external_id.strip(), cause.strip(), iuv.strip()
        if not external_id or len(external_id) > 60 or len(cause) > 60 or len(iuv) > 40:
            raise Refused(_("ID_MOVIMENTO is empty, or it or CAUSALE (60 characters) or IUV (40) is too long"))
        key = (code.strip(), self._items[item], self._creditors[creditor])
        if payment is not None:
            return line, key, booked, booked, -payment, True, external_id, cause, iuv or None
        if charge is None:
            raise Refused(_("no amount: neither DARE nor AVERE is filled in"))
        if not due:
            raise Refused(_("a charge without DATA_SCADENZA"))
        return line, key, booked, due, charge, False, external_id, cause, iuv or None

    def _known_accounts(self, tx: Transaction, keys: set[_Key]) -> dict[_Key, tuple[int, int]]:
        if len(self._accounts_seen) > _ACCOUNTS:
            self._accounts_seen.clear()
        if unseen := keys - self._accounts_seen.keys():
            self._accounts_seen.update(self._accounts(tx, unseen))
        return self._accounts_seen

    def _accounts(self, tx: Transaction, keys: set[_Key]) -> dict[_Key, tuple[int, int]]:
        """Key -> account id and creditor id, of the tenancies that exist; accounts not there yet are made."""
        creditors = ledger.creditors(tx)
        names = {creditor_id: name for name, creditor_id in creditors.items()}
        tenancies: dict[str, int] = {}
        found: dict[_Key, tuple[int, int]] = {}
        for account in ledger.accounts(tx, {code for code, _item, _creditor in keys}):
            tenancies[account.code] = account.tenancy_id
            if account.id is not None and account.item is not None and account.creditor_id is not None:
                key = (account.code, account.item, names[account.creditor_id])
                if key in keys:
                    found[key] = (account.id, account.creditor_id)
        missing = sorted(key for key in keys - found.keys() if key[0] in tenancies)
        if not missing:
            return found
        if fresh := sorted({creditor for _code, _item, creditor in missing} - creditors.keys()):
            ledger.add_creditors(tx, fresh)
            creditors = ledger.creditors(tx)
        ledger.add_accounts(tx, [(tenancies[code], item, creditors[creditor]) for code, item, creditor in missing])
        return self._accounts(tx, keys)

    def _refuse_conflicts(self) -> None:
        if not self._conflicts:
            return
        contradicting = set(self._conflicts)
        reason = _("ID_MOVIMENTO is known with another tenancy, date or amount: correct it with a movement of its own")
        for line in self._work.lines():
            if line[0] in contradicting:
                self._work.rejects.refuse(line, reason)


class _Items(dict[str, str]):
    def __missing__(self, written: str) -> str:
        code = written.strip().upper()
        if code not in ITEMS:
            raise Refused(_("unknown VOCE {item!r}: {known}").format(item=written, known=", ".join(ITEMS)))
        return learn(self, written, ITEMS[code])


class _Creditors(dict[str, str]):
    def __missing__(self, written: str) -> str:
        return learn(self, written, word(written, "CREDITORE", 100))
