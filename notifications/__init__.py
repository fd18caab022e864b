"""HOW IT IS SAID: typed messages, templates and channels. Knows no household and no database."""
