"""The payment plan is signed; this is its calendar. A formal notice: it leaves once."""
