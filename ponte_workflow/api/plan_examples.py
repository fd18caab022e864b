"""Examples of payment plans for the interface's description."""

PLANS = {
    "items": [
        {
            "code": "P-000123",
            "quarter": "Sanpolino",
            "version": 1,
            "signed_on": "2026-11-09",
            "status": "active",
            "total_cents": 60_000,
            "paid_cents": 10_000,
            "instalments": 6,
            "paid": 1,
            "missed": 0,
            "next_due_on": "2027-01-10",
        }
    ],
    "next": None,
}
PLAN_BOOK = {
    "code": "P-000123",
    "plans": [
        {
            "version": 1,
            "signed_on": "2026-11-09",
            "status": "active",
            "total_cents": 10_000,
            "paid_cents": 10_000,
            "policy": "current_first",
            "tolerance_days": 7,
            "replaces": None,
            "instalments": [
                {
                    "number": 1,
                    "due_on": "2026-12-10",
                    "cents": 10_000,
                    "paid_cents": 10_000,
                    "status": "paid",
                    "paid_on": "2026-12-09",
                    "parts": [{"creditor": "ALER", "cents": 10_000}],
                }
            ],
            "signatures": [{"side": "household", "signed_on": "2026-11-09", "how": "paper"}],
            "allocations": [
                {
                    "number": 1,
                    "creditor": "ALER",
                    "paid_on": "2026-12-09",
                    "cents": 10_000,
                    "reference": None,
                    "since_on": "2026-12-10",
                    "until_on": None,
                }
            ],
        }
    ],
}
