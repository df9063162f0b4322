"""Version 7 of the API: its routers, under one way in and one way to fail."""

from ninja import NinjaAPI

from botpenguin.platform.api import errors, token
from botpenguin.platform.api.authentication import ApiAccessToken

api = NinjaAPI(
    title="BotPenguin API",
    version="7",
    urls_namespace="api-v7",
    docs_url=None,
    openapi_url=None,
    auth=ApiAccessToken(),
)
errors.register(api)
api.add_router("", token.router)
