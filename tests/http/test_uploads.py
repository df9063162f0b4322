"""No page accepts files."""

from io import BytesIO

import pytest
from django.conf import settings
from django.test import Client as Browser

pytestmark = pytest.mark.matrix


@pytest.mark.django_db
def test_a_large_file_that_a_visitor_sends_is_kept_nowhere() -> None:
    file = BytesIO(bytes(settings.FILE_UPLOAD_MAX_MEMORY_SIZE))

    response = Browser().post("/account/login/", {"login": "alice@example.com", "file": file})

    assert response.status_code == 200
    assert response.wsgi_request.POST["login"] == "alice@example.com"
    assert not response.wsgi_request.FILES
