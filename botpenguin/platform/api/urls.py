from django.urls import path, register_converter

from botpenguin.platform.api import absent, github, reference
from botpenguin.platform.api.v7 import api

register_converter(absent.AbsentPath, "absent")

urlpatterns = [
    path("v7/openapi.json", reference.openapi, name="openapi"),
    path("v7/docs", reference.page, name="api-reference"),
    path("v7/token/report-exposed/github", github.report_exposed, name="report-of-github"),
    path("v7/", api.urls),
    # Last: no operation is at such a path.
    path("v7/<absent:absent>", absent.answer),
]
