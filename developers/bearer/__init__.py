"""Checks the token of a call, and bounds what wrong tokens cost."""
