"""smtpctl: configure, test and debug SMTP."""

__version__ = "0.1.0"
