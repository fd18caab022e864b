"""The roles of the pathway in both languages, and the two that are no staff: the household and the person."""

from states.document import Text

ROLE_NAMES = {
    "supervisor": Text(it="coordinatore", en="supervisor"),
    "case_worker": Text(it="operatore", en="case worker"),
    "job_agency": Text(it="agenzia per il lavoro", en="job agency"),
    "volunteers": Text(it="volontari", en="volunteers"),
    "landlord": Text(it="ente gestore", en="landlord"),
    "lead": Text(it="capofila", en="programme lead"),
    "system": Text(it="sistema", en="system"),
    "household": Text(it="nucleo", en="household"),
    "person": Text(it="persona", en="person"),
}
