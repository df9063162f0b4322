"""Pages of the API access token."""
