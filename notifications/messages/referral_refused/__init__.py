"""Another service has refused a referral: the case stays with us."""
