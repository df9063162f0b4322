"""URLs that fail in every way that an operation can, under the project's own handlers."""

from django.db import IntegrityError
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path
from ninja import NinjaAPI, Schema
from ninja.errors import HttpError

from botpenguin import urls
from botpenguin.platform.api import errors

api = NinjaAPI(urls_namespace="failing")
errors.register(api)


class Named(Schema):
    name: str


@api.post("/named")
def named(request: HttpRequest, body: Named) -> str:
    return body.name


@api.get("/gone")
def gone(request: HttpRequest) -> str:
    raise Http404("Nobody else's business.")


@api.get("/conflict")
def conflict(request: HttpRequest) -> str:
    raise HttpError(409, "That bot has this name already.")


@api.get("/raced")
def raced(request: HttpRequest) -> str:
    raise IntegrityError("Key (email)=(asha@example.com) already exists.")


@api.get("/broken")
def broken(request: HttpRequest) -> str:
    raise ZeroDivisionError


def broken_outside(request: HttpRequest) -> HttpResponse:
    raise ZeroDivisionError


urlpatterns = [path("api/failing/", api.urls), path("api/broken-outside", broken_outside), *urls.urlpatterns]
