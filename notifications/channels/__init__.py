"""The ways out: an envelope goes in, a receipt comes back, or an error that says whether to try again."""

from notifications.channels.envelope import Channel, Envelope, Receipt
from notifications.channels.file import FileChannel
from notifications.channels.smtp import SmtpChannel

__all__ = ["Channel", "Envelope", "FileChannel", "Receipt", "SmtpChannel"]
