"""Somebody who may not see a case otherwise has opened it, with a reason."""
