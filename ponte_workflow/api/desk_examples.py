"""Examples of tasks and appointments for the interface's description."""

TASKS = {
    "items": [
        {
            "key": "task/12",
            "source": "pathway",
            "what": "Sentire se il servizio accetta l'invio",
            "role": "case_worker",
            "code": "P-000123",
            "opened_on": "2026-11-09",
            "due_on": "2026-11-23",
            "snoozed_until": None,
            "section": "today",
        }
    ],
    "counts": {"overdue": 0, "today": 1, "this_week": 0, "later": 0, "snoozed": 0},
}
APPOINTMENTS = {
    "items": [
        {
            "appointment": 7,
            "code": "P-000123",
            "worker": "Anna",
            "starts_at": "2026-11-26T09:30:00Z",
            "minutes": 60,
            "status": "planned",
        }
    ]
}
PLACEMENTS = {
    "items": [
        {
            "code": "P-000123",
            "person": 34,
            "kind": "fixed_term",
            "starts_on": "2026-10-05",
            "ends_on": None,
            "weekly_hours": 25,
            "wage_band": "from_500",
        }
    ]
}
