"""An appointment is near."""
