"""Counts of tries, and Django's cache: what all processes share and nobody keeps. Numbers and JSON, never a pickle."""
