"""The command line: it parses, calls one use case, renders and exits. The only place that imports typer."""
