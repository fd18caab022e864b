"""Accounts to which instalments can be paid by bank transfer: checked to the last letter before anybody copies them."""

from collections.abc import Mapping

from ponte_workflow.errors import BadConfiguration
from ponte_workflow.i18n import gettext as _


def read_ibans(text: str) -> Mapping[str, str]:
    """Creditor -> IBAN in groups of four, from `CREDITOR=IBAN; CREDITOR=IBAN`.

    Raises `BadConfiguration` with the creditor and what is wrong: length, check digits, or the Italian CIN.
    """
    # Imported late: its registry of banks takes a moment, and few commands need it.
    from schwifty import IBAN
    from schwifty.exceptions import InvalidBBANChecksum, InvalidChecksumDigits, SchwiftyException

    found = {}
    for part in (one.strip() for one in text.split(";") if one.strip()):
        creditor, _equals, code = (piece.strip() for piece in part.partition("="))
        if not creditor or not code:
            raise BadConfiguration(_("PONTE_IBANS: “{part}” is not CREDITOR=IBAN").format(part=part))
        try:
            found[creditor] = IBAN(code, validate_bban=True).formatted
        except InvalidBBANChecksum as error:
            raise BadConfiguration(
                _("PONTE_IBANS: the CIN of the IBAN of {creditor} is wrong: a letter or digit was mistyped").format(
                    creditor=creditor
                )
            ) from error
        except InvalidChecksumDigits as error:
            raise BadConfiguration(
                _("PONTE_IBANS: the check digits of the IBAN of {creditor} are wrong").format(creditor=creditor)
            ) from error
        except SchwiftyException as error:
            raise BadConfiguration(
                _("PONTE_IBANS: the IBAN of {creditor} cannot be one: {why}").format(creditor=creditor, why=error)
            ) from error
    return found
