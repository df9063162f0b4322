"""The address for help is one that people can write to, or is refused."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from botpenguin.configuration import support


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("", ""),
        ("help@example.com", "help@example.com"),
        ("Help@Example.com", "help@example.com"),
        ("help+panel@example.com", "help+panel@example.com"),
        ("help@bücher.example", "help@xn--bcher-kva.example"),
    ],
)
def test_one_mailbox_is_taken(value: str, address: str) -> None:
    assert support.email(value) == address


@pytest.mark.parametrize(
    "value",
    [
        "help",
        "https://example.com/help",
        "Help <help@example.com>",
        "a@example.com, b@example.com",
        "help@example.com?cc=b@example.com",
        "help@[192.0.2.1]",
        '"help me"@example.com',
        "mailto:help@example.com",
    ],
)
def test_anything_else_is_refused_without_its_value(value: str) -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        support.email(value)

    assert str(caught.value) == "SUPPORT_EMAIL is not the address of one mailbox, such as support@example.com."
