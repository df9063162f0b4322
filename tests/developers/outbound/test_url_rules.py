"""URLs as they are read, and those that are refused."""

import pytest
from pytest_django.fixtures import Settings

from developers.outbound import url_rules
from developers.outbound.recipe import RecipeField, attributes_in_path_only
from developers.outbound.url_rules import BadUrl

pytestmark = pytest.mark.matrix


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("https://api.example.com", "https://api.example.com"),
        ("HTTPS://API.Example.com:8443/A?b=c", "https://api.example.com:8443/A?b=c"),
        ("https://bücher.example/é", "https://xn--bcher-kva.example/%C3%A9"),
        ("http://93.184.216.34:8080/", "http://93.184.216.34:8080/"),
        ("http://[2606:4700::1111]/", "http://[2606:4700::1111]/"),
        ("http://my_host.example.com:80/", "http://my_host.example.com/"),
        ("https://example.com:443/", "https://example.com/"),
    ],
)
def test_usual_urls_are_read(text: str, read: str) -> None:
    url = url_rules.read(text)

    assert f"{url.scheme}://{url.netloc.decode()}{url.raw_path.decode()}".rstrip("/") == str(
        url_rules.read(read)
    ).replace("bücher", "xn--bcher-kva").rstrip("/")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("https://example.com/" + "x" * 8000, "The URL is longer than 8,000 characters."),
        ("https://" + ".".join(["a" * 60] * 5), "The name of the server holds characters that no name has."),
        ("https://example.com/?a=1#x", "Leave out # and what follows it: no server gets to see that."),
    ],
)
def test_unusual_urls_are_refused_with_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(BadUrl) as caught:
        url_rules.read(text)
    assert str(caught.value) == sentence


def test_private_names_are_for_installations_that_open_their_network(settings: Settings) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = ["10.0.0.0/8"]

    assert url_rules.read("http://db.internal/").host == "db.internal"


def test_the_url_of_an_api_has_attributes_in_its_path_and_no_query() -> None:
    assert url_rules.problem("https://example.com/{{id}}/x") is None
    assert url_rules.problem("https://example.com/?a=1") == "Put what follows ? into Parameters."
    assert url_rules.problem("https://{{host}}/") == attributes_in_path_only()
    assert url_rules.problem("nowhere") == "The URL must start with https:// or http:// and the name of a server."
    assert url_rules.split("https://example.com/a?b=c%20d&e=") == (
        "https://example.com/a",
        (RecipeField("b", "c d"), RecipeField("e", "")),
    )
