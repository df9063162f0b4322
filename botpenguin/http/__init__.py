"""Middleware and answers that hold for every page: errors, headers, bodies, static files, health."""
