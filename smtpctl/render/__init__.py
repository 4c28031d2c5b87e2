"""Everything that turns results into text. Imports the model only; prints nothing."""
