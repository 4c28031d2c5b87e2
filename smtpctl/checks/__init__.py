"""Judgements: small functions from facts to findings, one file a family. No I/O, clock or environment."""
