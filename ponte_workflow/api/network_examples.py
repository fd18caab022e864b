"""Examples of events, services and referrals for the interface's description."""

EVENTS = {
    "items": [
        {
            "event": 3,
            "kind": "repair_day",
            "title": "Giornata delle riparazioni",
            "quarter": "Sanpolino",
            "organiser": "Amici degli Elefanti Volanti",
            "place": "Sala civica",
            "starts_at": "2026-12-01T17:00:00Z",
            "ends_at": "2026-12-01T19:00:00Z",
            "seats": 20,
            "cancelled_on": None,
            "invited": 4,
            "came": 0,
            "hours": 0,
        }
    ]
}
SERVICES = {
    "items": [
        {
            "service": 2,
            "name": "Scuola di italiano per adulti",
            "kind": "training",
            "contact": "",
            "address": "",
            "opening_hours": "lun e mer 18-20",
            "languages": "",
            "quarters": ["Sanpolino"],
        }
    ]
}
REFERRALS = {
    "items": [
        {
            "referral": 5,
            "code": "P-000123",
            "service": 2,
            "receiving": "Scuola di italiano per adulti",
            "kind": "alongside",
            "status": "proposed",
            "proposed_on": "2026-11-09",
            "due_on": "2026-11-23",
            "answered_on": None,
        }
    ]
}
