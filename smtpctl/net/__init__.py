"""The only place that does network I/O, and writes the transcript."""
