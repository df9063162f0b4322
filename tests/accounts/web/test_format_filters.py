import pytest
from django.template import Context, Template

from accounts.templatetags.formats import client

FIREFOX = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:140.0) Gecko/20100101 Firefox/140.0"


def test_names_in_a_list_are_escaped_and_keep_their_direction() -> None:
    written = Template("{{ items|names }}").render(Context({"items": ["<b>", "متجر"]}))

    assert written == "<bdi>&lt;b&gt;</bdi> and <bdi>متجر</bdi>"


@pytest.mark.parametrize(
    ("user_agent", "name"), [(None, ""), ("", ""), ("curl/8.5.0", "curl 8.5"), (FIREFOX, "Firefox, macOS")]
)
def test_a_client_is_named_by_its_program(user_agent: str | None, name: str) -> None:
    assert client(user_agent) == name
