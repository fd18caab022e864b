"""An example of every answer, as the OpenAPI document shows it; a test reads each back with its model."""

from typing import Any

_LISTED: dict[str, Any] = {
    "code": "P-000123",
    "version": 7,
    "state": "Da contattare",
    "quarter": "Sanpolino",
    "household": "Esempio Anna",
    "place": "Smeraldo A/4",
    "waits_on": ["case_worker"],
    "since": "2026-11-02",
    "due_on": "2026-11-24",
    "urgency": "this_week",
    "what_to_do": "Tentare un contatto",
    "worker": "Operatore Due",
    "flags": [],
    "tasks": [],
    "next_steps": [{"trigger": "record_attempt", "label": "Registra un tentativo"}],
}
CASES = {
    "items": [
        {
            **_LISTED,
            "configuration": ["engagement.to_contact"],
            "opened_on": "2026-10-27",
            "closed_on": None,
        }
    ],
    "next": "Y2FzZToxMjM",
}
TRAY = {
    "items": [{**_LISTED, "asked_on": None, "snoozed_until": None}],
    "counts": {"overdue": 0, "today": 0, "this_week": 1, "waiting": 0, "snoozed": 0},
    "next": None,
}
CASE = {
    "code": "P-000123",
    "version": 7,
    "configuration": ["active.community.invited", "active.payment.paying", "active.work.searching"],
    "state": ["Percorso civico: invitata", "Piano di rientro: in corso", "Lavoro: in ricerca"],
    "waits_on": ["volunteers", "household", "job_agency"],
    "quarter": "Sanpolino",
    "household": "Esempio Anna",
    "place": "Smeraldo A/4",
    "worker": "Operatore Due",
    "opened_on": "2026-06-01",
    "closed_on": None,
    "paused": False,
    "stalled_on": None,
    "persons": [
        {"id": 41, "name": "Anna Esempio", "born_on": "1985-05-01", "deceased_on": None, "journey": "In ricerca"}
    ],
    "clocks": [
        {
            "clock": "active.work.searching/progress",
            "person_id": None,
            "started_on": "2026-10-01",
            "due_on": "2026-11-30",
            "working_days_left": 4,
        }
    ],
    "tasks": [
        {
            "kind": "review_pip",
            "role": "case_worker",
            "person_id": 41,
            "opened_on": "2026-11-02",
            "due_on": "2026-11-16",
        }
    ],
    "plan": {
        "signed_on": "2026-07-01",
        "instalments": [{"due_on": "2026-08-31", "amount_cents": 5000, "status": "paid"}],
    },
}
TRIGGERS = {
    "code": "P-000123",
    "version": 7,
    "triggers": [
        {
            "trigger": "record_attempt",
            "label": {"it": "Registra un tentativo", "en": "Record an attempt"},
            "person_id": None,
            "to": [],
            "by": ["case_worker", "supervisor"],
            "yours": True,
            "ready": True,
            "missing": [],
            "asked": [],
            "fields": {
                "type": "object",
                "properties": {
                    "channel": {
                        "title": "Canale",
                        "x-label": {"it": "Canale", "en": "Channel"},
                        "x-type": "choice",
                        "x-privacy": "none",
                        "type": "string",
                        "enum": ["phone", "door"],
                        "x-choices": {
                            "phone": {"it": "telefono", "en": "phone"},
                            "door": {"it": "alla porta", "en": "door"},
                        },
                    }
                },
                "required": ["channel"],
                "additionalProperties": False,
            },
        },
        {
            "trigger": "activate",
            "label": {"it": "Avvia il percorso", "en": "Activate"},
            "person_id": None,
            "to": ["active"],
            "by": ["case_worker"],
            "yours": True,
            "ready": False,
            "missing": [
                {
                    "need": "assessment_recorded",
                    "sentence": {"it": "manca la valutazione", "en": "the assessment is missing"},
                    "fix_by": ["case_worker"],
                    "remedies": ["record_assessment"],
                }
            ],
            "asked": [],
            "fields": {"type": "object", "properties": {}, "required": [], "additionalProperties": False},
        },
    ],
}
MOVED = {
    "code": "P-000123",
    "version": 8,
    "configuration": ["engagement.to_contact"],
    "state": ["Da contattare"],
    "paused": False,
    "closed_on": None,
}
UNDONE = {**MOVED, "version": 9, "undone_seq": 8, "undone_trigger": "record_attempt"}
PIP = {
    "code": "P-000123",
    "person_id": 34,
    "state": "searching",
    "version": 1,
    "signed_on": "2026-11-09",
    "review_on": "2027-02-08",
    "goals": ["Un lavoro vicino a casa"],
    "lacks": [],
    "actions": [
        {
            "number": 1,
            "kind": "cv",
            "what": "Scrivere il curriculum",
            "doer": "job_agency",
            "due_on": "2026-11-20",
            "outcome": None,
            "ended_on": None,
        }
    ],
    "placements": [],
}
CONTACTS = {
    "code": "P-000123",
    "persons": [
        {
            "person_id": 41,
            "name": "Anna Esempio",
            "contacts": [
                {
                    "kind": "phone",
                    "value": "+393001234567",
                    "preferred": True,
                    "consent": "yes",
                    "consent_on": "2026-11-02",
                    "wrong_on": None,
                    "takes_sms": True,
                }
            ],
        }
    ],
}
INBOX = {
    "items": [
        {
            "id": 311,
            "at": "2026-11-24T02:30:00Z",
            "unread": True,
            "kind": "remind",
            "what": "Tentare un contatto",
            "due_on": "2026-11-24",
            "case": "P-000123",
        }
    ],
    "unread": 1,
    "next": None,
}
COSTS = {
    "items": [
        {
            "month": "2026-11",
            "channel": "sms",
            "messages": 57,
            "pieces": 61,
            "cost_cents": 427,
            "delivered": 55,
            "came_back": 1,
        }
    ]
}
HISTORY = {
    "items": [
        {"seq": 1, "on": "2026-10-27", "event": "opened", "by": "Ponte", "what": "class=contained", "personal": {}},
        {
            "seq": 2,
            "on": "2026-11-02",
            "event": "recorded",
            "by": "operatore.ev2",
            "what": "Registra un tentativo",
            "personal": {"note": "Richiamare dopo le 18"},
        },
    ],
    "next": None,
}
MESSAGES = {
    "items": [
        {
            "id": 412,
            "message": "plan_signed",
            "channel": "letter",
            "left_at": "2026-11-02T08:00:05Z",
            "state": "posted",
            "events": [
                {"at": "2026-11-03T14:00:00Z", "kind": "printed", "detail": "by:coordinatrice.ev"},
                {"at": "2026-11-04T14:00:00Z", "kind": "posted", "detail": "by:coordinatrice.ev"},
            ],
        }
    ],
    "next": None,
}
IMPORT = {
    "file": "partitario_aler.csv",
    "kind": "ledger",
    "read": 65,
    "new": 62,
    "changed": 0,
    "known": 2,
    "refused": 1,
    "ledger_on": "2026-11-20",
    "refusals": [{"line": 14, "text": "'31/02/2026' is an impossible date"}],
    "warnings": [],
}
_NIGHT = {
    "on": "2026-11-23",
    "status": "completed",
    "runner": "prefect",
    "replayed": False,
    "started_at": "2026-11-23T02:30:00Z",
    "completed_at": "2026-11-23T02:30:09Z",
    "looked_at": 142,
    "acted_on": 10,
    "set_aside": 0,
    "certificate": "e7927675f3810459" + "0" * 48,
}
NIGHTS = {"items": [_NIGHT], "next": None}
NIGHT = {
    **_NIGHT,
    "steps": [
        {
            "step": "clocks",
            "status": "completed",
            "looked_at": 5,
            "acted_on": 5,
            "set_aside": 0,
            "note": "",
        }
    ],
    "sealed": {
        "content": {"night": "2026-11-23", "runner": "prefect", "set_aside": [], "forgotten": []},
        "hash": "e7927675f3810459" + "0" * 48,
        "previous_hash": "0" * 64,
        "previous_on": None,
        "sound": True,
    },
}
EVENT = {
    "id": 4711,
    "event": "step",
    "case": "P-000123",
    "seq": 3,
    "on": "2026-11-23",
    "at": "2026-11-23T09:12:00Z",
    "trigger": "meet",
    "person_id": None,
    "from": ["engagement.met"],
    "to": ["planning"],
    "undoes": None,
    "by_system": False,
}
EVENTS = {"items": [EVENT], "next": "ZXZlbnQ6NDcxMQ"}
SCHEMAS = {
    "pathway": "sanpolino",
    "version": 1,
    "household": {
        "reopen": {
            "title": "reopen",
            "description": "Riapri il caso",
            "x-label": {"it": "Riapri il caso", "en": "Reopen the case"},
            "x-by": ["supervisor"],
            "type": "object",
            "properties": {
                "reason": {
                    "title": "Motivo",
                    "x-label": {"it": "Motivo", "en": "Reason"},
                    "x-type": "text",
                    "x-privacy": "personal",
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 20000,
                }
            },
            "required": ["reason"],
            "additionalProperties": False,
        }
    },
    "person": {},
}
# Error: (what it means, name of the problem, sentence, what is missing).
_NEED = {"name": "assessment_recorded", "sentence": "the assessment is missing", "fix_by": ["case_worker"]}
ERRORS: dict[int, tuple[str, str, str, list[dict[str, Any]]]] = {
    400: (
        "A header is missing or cannot be read",
        "incomplete-call",
        "Give this call an Idempotency-Key: up to 120 signs, a new one for each deed, the same one to repeat it",
        [],
    ),
    401: (
        "No token, or one that is unknown, revoked or expired",
        "unauthorized",
        "Show a token that counts: Authorization: Bearer ponte_… (unknown, revoked and expired ones do not)",
        [],
    ),
    403: (
        "The token lacks the scope, or whom it acts for lacks the right",
        "scope-missing",
        "This token has not the scope cases:write",
        [],
    ),
    404: (
        "There is nothing by that name; a case out of sight looks the same as one that does not exist",
        "no-such-case",
        "There is no case P-000123, or it is with another organisation or worker",
        [],
    ),
    409: (
        "Not possible from where the case stands, changed meanwhile, or the first call with this key has not ended",
        "case-changed",
        "Case P-000123 was changed by somebody else meanwhile: look at it again",
        [],
    ),
    412: (
        "The case has another version than If-Match says",
        "precondition-failed",
        "Case P-000123 was changed by somebody else meanwhile: look at it again",
        [],
    ),
    413: ("The body is larger than is taken", "too-large", "The body is larger than 1000000 bytes", []),
    415: ("The body is of another kind than is taken", "unsupported-media-type", "Send application/json", []),
    422: (
        "Needs are missing, a field or parameter is wrong, or the key was used for another call",
        "needs-missing",
        "P-000123, activate: Not yet; the assessment is missing",
        [_NEED],
    ),
    429: ("Too many calls; Retry-After says when to try again", "rate-limited", "Too many calls: try again in 12 seconds", []),
    500: (
        "Nobody foresaw this; nothing was changed",
        "broken",
        "Nothing was changed. Try again; if it happens again, tell the administrator the reference.",
        [],
    ),
}  # fmt: skip
