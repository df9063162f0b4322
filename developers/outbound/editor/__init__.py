"""The page to set up and test a call."""
