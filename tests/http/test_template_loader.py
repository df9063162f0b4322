"""The loader of templates: the joined parts are what Django renders, and hold nothing of a request."""

import pytest
from django.template import Context, Engine, Template, TemplateSyntaxError, engines
from django.urls import reverse, set_script_prefix
from django.utils import translation
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy
from pytest_django.fixtures import Settings

from botpenguin.http.template_loader import Loader, join
from botpenguin.http.template_nodes import ConstantNode

CONSTANT = (
    '{% load i18n static %}<a href="{% url "home" %}">{% translate "Log out" %}</a>'
    "{% blocktranslate trimmed %} One {% endblocktranslate %}{% comment %}None{% endcomment %}"
    '{% static "css/base.css" %}{% include "icon.html" with name="eye" only %}{% include "logo.html" %}'
)
# What each of these shows depends on its context.
VARYING = {
    "a translation": "{% load i18n %}{% translate word %}",
    "a translation with a filter": '{% load i18n %}{% translate "Log out"|cut:word %}',
    "a translation for later": '{% load i18n %}{% translate "Log out" as later %}{{ later }}',
    "a block": "{% load i18n %}{% blocktranslate %}One {{ word }}{% endblocktranslate %}",
    "a file": "{% load static %}{% static word %}",
    "a file for later": '{% load static %}{% static "css/base.css" as later %}{{ later }}',
    "a URL": "{% url word %}",
    "a URL for later": '{% url "home" as later %}{{ later }}',
    "a picture in this context": '{% include "icon.html" with name="eye" %}',
    "a picture by name": '{% include "icon.html" with name=word only %}',
    "a part with filters": '{% include "platform/time.html" only %}',
    "a part with other tags in a condition": '{% include "message.html" only %}',
}


@pytest.fixture
def engine() -> Engine:
    found: Engine = engines["django"].engine  # type: ignore[attr-defined]
    return found


def joined(engine: Engine, text: str) -> Template:
    template = engine.from_string(text)
    join(template.nodelist, engine)
    return template


def test_parts_that_never_change_are_one_node_with_the_same_text(engine: Engine) -> None:
    template = joined(engine, CONSTANT)

    assert [type(node) for node in template.nodelist] == [ConstantNode]
    assert template.render(Context()) == engine.from_string(CONSTANT).render(Context())


@pytest.mark.parametrize("text", VARYING.values(), ids=VARYING.keys())
def test_parts_that_depend_on_the_context_are_rendered_each_time(engine: Engine, text: str) -> None:
    template = joined(engine, text)

    for values in ({"word": "home", "class": "a"}, {"word": "my-account", "class": "b"}):
        assert template.render(Context(values)) == engine.from_string(text).render(Context(values))


def test_parts_inside_of_conditions_and_loops_are_joined_too(engine: Engine) -> None:
    text = f"{{% if yes %}}{CONSTANT}{{% else %}}-{{% endif %}}{{% for one in many %}}{CONSTANT}{{% endfor %}}"
    values = {"yes": True, "many": [1, 2]}

    template = joined(engine, text)

    assert len(template.nodelist.get_nodes_by_type(ConstantNode)) == 2
    assert template.render(Context(values)) == engine.from_string(text).render(Context(values))


def test_a_joined_part_is_rendered_for_each_language_and_prefix(engine: Engine) -> None:
    template = joined(engine, '{% load i18n %}{% translate "Log out" %} {% url "home" %}')

    first = template.render(Context())
    with translation.override("de"):
        german = template.render(Context())
    set_script_prefix("/panel/")
    try:
        prefixed = template.render(Context())
    finally:
        set_script_prefix("/")

    assert [first, german, prefixed] == ["Log out /", "Abmelden /", "Log out /panel/"]


def test_the_templates_of_the_project_are_joined_once(engine: Engine) -> None:
    loader = Loader(engine)

    template = loader.get_template("developers/questions.html")

    assert [type(node) for node in template.nodelist] == [ConstantNode]
    assert loader.get_template("developers/questions.html") is template


VALUES = {"text": "<b>", "safe": mark_safe("<b>"), "number": 12345.5, "nothing": None, "later": gettext_lazy("Log out")}


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("text", ["{{ %s }}", "{%% autoescape off %%}{{ %s }}{%% endautoescape %%}"])
def test_values_are_shown_as_django_shows_them(engine: Engine, text: str, name: str) -> None:
    template = joined(engine, text % name)

    assert template.render(Context(VALUES)) == engine.from_string(text % name).render(Context(VALUES))


def test_a_url_is_made_for_each_name_and_prefix(engine: Engine) -> None:
    text = "{% url word as kept %}{{ kept }} {% url word %}"
    template, values = joined(engine, text), {"word": "my-account"}

    urls = [
        template.render(Context(values)),
        template.render(Context(values)),
        template.render(Context({"word": "home"})),
    ]
    set_script_prefix("/panel/")
    try:
        prefixed = template.render(Context(values))
    finally:
        set_script_prefix("/")

    assert [*urls, prefixed] == ["/account/ /account/", "/account/ /account/", "/ /", "/panel/account/ /panel/account/"]


def test_a_template_that_switches_the_language_is_refused(engine: Engine) -> None:
    text = '{% load i18n %}{% language "de" %}{% translate "Log out" %}{% endlanguage %}'

    with pytest.raises(TemplateSyntaxError, match="one language"):
        joined(engine, text)


def test_a_url_is_made_for_each_url_configuration(engine: Engine, settings: Settings) -> None:
    template = joined(engine, '{% url "contacts-to-test" as kept %}{{ kept }}')
    first = template.render(Context())

    settings.ROOT_URLCONF = "tests.platform.urls_without_contacts"

    assert (first, template.render(Context())) == (reverse("contacts-to-test", "botpenguin.urls"), "")
