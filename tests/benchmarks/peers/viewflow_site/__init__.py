"""The nightly job in django-viewflow, as a small Django application: a finite state machine, or a flow with timers."""
