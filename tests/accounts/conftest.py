import pytest
from pytest_django.fixtures import Settings


@pytest.fixture
def queued_mail(settings: Settings) -> None:
    """Django's test runner keeps mail in memory; we want the project's own way."""
    settings.EMAIL_BACKEND = "post_office.EmailBackend"
