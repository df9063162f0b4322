"""Version 7 of the API: its routers, authentication and error handlers."""

from botpenguin.platform.api import bots, envelope, errors, inbox, integrations, third_party, token, usage, webhooks
from botpenguin.platform.api.authentication import ApiAccessToken
from botpenguin.platform.api.body import JsonParser
from botpenguin.platform.api.openapi import DESCRIPTION, EXTRA, DocumentedApi

api = DocumentedApi(
    title="BotPenguin API",
    version="7",
    description=DESCRIPTION,
    urls_namespace="api-v7",
    docs_url=None,
    openapi_url=None,
    openapi_extra=EXTRA,
    parser=JsonParser(),
    auth=ApiAccessToken(),
)
api.add_decorator(envelope.written)
errors.register(api)
for resource in (token, usage, bots, inbox, integrations, webhooks, third_party):
    api.add_router("", resource.router)
