"""Use cases: one function a verb. They return values and print nothing."""
