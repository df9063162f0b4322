"""Checks the token of an API call, and bounds the cost of wrong tokens."""
