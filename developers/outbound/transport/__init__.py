"""Sends a call: addresses, connection, limits and response."""
