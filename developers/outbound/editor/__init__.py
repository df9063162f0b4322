"""The page on which a call is set up and tried."""
