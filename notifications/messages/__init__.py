"""One folder for each message: its model and its templates in every language."""
