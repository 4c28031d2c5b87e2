"""The names a shell may complete: profiles, presets, sites. Reads files, never fails, never asks."""

from __future__ import annotations


def profiles(incomplete: str) -> list[str]:
    """Names of the stored profiles that start with `incomplete`."""
    return []


def presets(incomplete: str) -> list[str]:
    """Names of the presets that start with `incomplete`."""
    return []


def sites(incomplete: str) -> list[str]:
    """Names of the stored sites that start with `incomplete`."""
    return []
