"""Errors of the notifications: what was wrong with a message, and whether sending it again can help."""


class NotificationError(Exception):
    """Base of all errors of this package."""


class UnknownMessage(NotificationError):
    """No message has that name."""


class BadData(NotificationError):
    """The data do not fit the message; the sentence names the fields, never their values."""


class SendLater(NotificationError):
    """It did not leave; trying again can help (4xx, time-out, no connection)."""


class ChannelDown(SendLater):
    """The channel itself does not work (no server, wrong login): trying the next message now is of no use."""


class SendNever(NotificationError):
    """It did not leave and never will as it stands (5xx, an address that cannot be)."""


class SendUncertain(NotificationError):
    """The connection broke after the data were sent: it may have left, nobody knows."""
