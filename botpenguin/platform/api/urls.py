from django.urls import path

from botpenguin.platform.api import reference
from botpenguin.platform.api.v7 import api

urlpatterns = [
    path("v7/openapi.json", reference.openapi, name="openapi"),
    path("v7/docs", reference.page, name="api-reference"),
    path("v7/", api.urls),
]
