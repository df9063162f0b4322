"""The HTTP API that an API access token opens, at `/api/v7`."""
