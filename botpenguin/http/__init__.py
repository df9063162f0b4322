"""Middleware and views around every page: errors, headers, request bodies, static files, health."""
