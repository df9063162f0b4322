"""The column that searches compare."""

from accounts.orm.searched import SearchedField, joined
from developers.outbound.models import OutboundApi


def test_migrations_see_a_text_field() -> None:
    _name, path, arguments, options = SearchedField().deconstruct()

    assert path == "django.db.models.TextField"
    assert (arguments, options) == ([], {"default": "", "db_default": "", "editable": False})


def test_it_holds_each_text_once_in_a_line_of_its_own() -> None:
    assert joined(("Zoë\nMüller", "", "zoë  müller", "z@example.com", "\u200b")) == "zoë müller\nz@example.com"


def test_it_is_computed_when_a_row_is_written() -> None:
    api = OutboundApi(name="Straße", url="https://example.com/")

    written = OutboundApi._meta.get_field("searched").pre_save(api, add=True)

    assert written == api.searched == "strasse\nhttps://example.com/"
