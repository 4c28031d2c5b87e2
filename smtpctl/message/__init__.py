"""Messages: composed, and samples to send."""
