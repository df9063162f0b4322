"""Additions to Django's SQLite backend, and outages of any database."""
