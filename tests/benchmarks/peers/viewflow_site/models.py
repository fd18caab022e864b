"""The rows of the application."""

from django.db import models
from viewflow import jsonstore
from viewflow.workflow.models import Process


class State(models.TextChoices):
    """Where a case may stand."""

    TO_CONTACT = "to_contact"
    NEIGHBOURS = "neighbours"


class Case(models.Model):
    """A case of the state machine, with its timer."""

    state = models.CharField(max_length=40, choices=State.choices)
    attempts = models.IntegerField()
    channels = models.IntegerField()
    timer = models.CharField(max_length=40)
    due_on = models.DateField(db_index=True)


class Audit(models.Model):
    """A change of state."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE)
    day = models.DateField()
    source = models.CharField(max_length=40)
    target = models.CharField(max_length=40)


class CaseProcess(Process):
    """A case of the flow: where it stands is the task that waits."""

    attempts = jsonstore.IntegerField()
    channels = jsonstore.IntegerField()

    class Meta:
        proxy = True


class Notice(models.Model):
    """A notification to be sent, of either kind of case."""

    case_id = models.BigIntegerField()
    rule = models.CharField(max_length=40)
    due_on = models.DateField()
    status = models.CharField(max_length=10, default="queued")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case_id", "rule", "due_on"], name="once")]  # noqa: RUF012
