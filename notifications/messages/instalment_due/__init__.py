"""An instalment falls due in a few days."""
