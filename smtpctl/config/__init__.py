"""What the user has set up: the file, the settings of a run with the origin of each value, and secrets."""
