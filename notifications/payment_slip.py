"""The slip of an instalment in a letter: notice number, amount, due day, and the QR code that a bank or post office reads."""

from dataclasses import dataclass
from datetime import date

from notifications.errors import BadData

DIGITS = 18  # of a pagoPA notice number
_MODULUS = 93  # check digits: the first sixteen mod 93 (pagoPA, auxiliary digit 3)
_TAX_CODE = 11  # digits of the tax code of a public body


@dataclass(frozen=True, slots=True)
class PaymentSlip:
    """One payment. `cents` > 0; `creditor`: the name on the slip; `body_tax_code`: 11 digits. `BadData` if they disagree.

    `qr_text` is what the code says: PAGOPA|002|notice number|tax code of the body|cents.
    """

    notice_number: str
    qr_text: str
    cents: int
    due_on: date
    creditor: str
    body_tax_code: str

    def __post_init__(self) -> None:
        """Refuse a slip that would lead a payment astray. The sentences name the field, never its value."""
        if not _is_number(self.notice_number, DIGITS) or self.notice_number[0] != "3":
            raise BadData("Payment slip: notice_number must be 18 digits and begin with 3")
        if int(self.notice_number[:16]) % _MODULUS != int(self.notice_number[16:]):
            raise BadData("Payment slip: notice_number has wrong check digits, look at it again where it was made")
        if not _is_number(self.body_tax_code, _TAX_CODE):
            raise BadData("Payment slip: body_tax_code must be 11 digits")
        if self.cents <= 0:
            raise BadData("Payment slip: cents must be more than nothing")
        if not self.creditor.strip():
            raise BadData("Payment slip: creditor must have a name")
        if self.qr_text != qr_text(self.notice_number, self.body_tax_code, self.cents):
            raise BadData("Payment slip: qr_text does not say what the slip says")

    @property
    def grouped(self) -> str:
        """The notice number as people read it, in groups of four."""
        return " ".join(self.notice_number[place : place + 4] for place in range(0, DIGITS, 4))


def qr_text(notice_number: str, body_tax_code: str, cents: int) -> str:
    """What the code of a pagoPA notice says (version 002)."""
    return f"PAGOPA|002|{notice_number}|{body_tax_code}|{cents}"


def _is_number(text: str, length: int) -> bool:
    return len(text) == length and text.isascii() and text.isdigit()
