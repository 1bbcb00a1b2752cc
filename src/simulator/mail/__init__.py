"""A mail server, pretended on loopback: pymap for IMAP, aiosmtpd for SMTP."""

from simulator.mail.account import Delivered, Mail, Mailbox
from simulator.mail.messages import SentMail, as_received, bounce, compose

__all__ = ["Delivered", "Mail", "Mailbox", "SentMail", "as_received", "bounce", "compose"]
