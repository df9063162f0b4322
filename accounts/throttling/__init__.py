"""Rate limits, and Django's cache, which all processes share. They hold numbers and JSON, never pickles."""
