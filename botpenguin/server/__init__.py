"""The web server: `python -m botpenguin.server`."""
