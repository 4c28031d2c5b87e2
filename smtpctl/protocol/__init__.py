"""SMTP without I/O: readers, builders of commands, and dialogues as generators."""
