"""Another service has refused a referral: the case stays with us."""

from datetime import date
from typing import ClassVar, Self

from notifications.message import CaseNotice, LookedUp


class ReferralRefused(CaseNotice):
    """Another service has refused a referral: the case stays with us."""

    name: ClassVar[str] = "referral_refused"

    refused_on: date
    service: LookedUp
    reason: LookedUp

    @classmethod
    def sample(cls) -> Self:
        """An invented one."""
        return cls(
            greeting="Anna",
            case_code="P-000123",
            household="Rossi",
            place="Torre Cimabue",
            what_to_do="proporre un altro servizio o riprendere il caso",
            link="ponte case show P-000123",
            refused_on=date(2026, 11, 20),
            service="Servizio sociale territoriale",
            reason="fuori zona",
        )
