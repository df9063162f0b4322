"""The project's addresses, and the same answer under the peers' authentication."""

from typing import Any

from django.http import HttpRequest, JsonResponse
from django.urls import include, path
from knox.auth import TokenAuthentication as KnoxTokenAuthentication
from rest_framework.authentication import TokenAuthentication
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework_api_key.permissions import HasAPIKey

from botpenguin.urls import handler400, handler403, handler404, handler500
from botpenguin.urls import urlpatterns as project

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]


def answer(email: str, hint: str) -> dict[str, Any]:
    issued_at = "2026-11-24T14:02:09.123Z"
    data = {"email": email, "hint": hint, "issuedAt": issued_at, "lastUsedAt": issued_at}
    return {"success": True, "message": "", "data": data, "code": 200}


def bare(request: HttpRequest) -> JsonResponse:
    return JsonResponse(answer("person@example.com", "0000"))


class Peer(APIView):  # type: ignore[misc]  # rest_framework ships no types
    authentication_classes = [TokenAuthentication]
    permission_classes = [IsAuthenticated]

    def get(self, request: Request) -> Response:
        return Response(answer(request.user.email, "0000"))


class KnoxPeer(Peer):
    authentication_classes = [KnoxTokenAuthentication]


class ApiKeyPeer(APIView):  # type: ignore[misc]
    authentication_classes: list[type] = []
    permission_classes = [HasAPIKey]

    def get(self, request: Request) -> Response:
        return Response(answer("person@example.com", "0000"))


peers = [
    path("bare", bare),
    path("drf", Peer.as_view()),
    path("knox", KnoxPeer.as_view()),
    path("api-key", ApiKeyPeer.as_view()),
]

# Nobody waits for the others' addresses to be tried: the peers stand before the project's, which starts with its API.
urlpatterns = [path("peers/", include(peers)), *project]
