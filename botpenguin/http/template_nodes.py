"""Nodes of templates that do once a process, or once a page, what Django's own do each time."""

from html import escape
from typing import Any

from django.conf import settings
from django.template import Context
from django.template.base import Node, NodeList, VariableNode, render_value_in_context
from django.template.defaulttags import URLNode
from django.urls import get_script_prefix, get_urlconf
from django.utils.safestring import SafeString
from django.utils.translation import get_language


class ConstantNode(Node):
    """Neighbouring nodes that depend on the language and the URLs only: rendered once for each.

    URLs would depend on the page too if an app were installed twice, under two namespaces. None is.
    """

    child_nodelists = ()

    def __init__(self, nodes: list[Node]) -> None:
        self.nodes = NodeList(nodes)
        self.token = nodes[0].token
        self.texts: dict[Any, SafeString] = {}

    def render(self, context: Context) -> SafeString:
        key = language_and_urls(context), context.autoescape
        text = self.texts.get(key)
        if text is None:
            empty = Context(autoescape=context.autoescape)
            with empty.bind_template(context.template):  # type: ignore[arg-type]  # the template that is rendered
                text = self.texts[key] = self.nodes.render(empty)
        return text


class NamedURLNode(URLNode):
    """A URL without arguments: made once for each name, since pages name the same few views."""

    def __init__(self, node: URLNode) -> None:
        super().__init__(node.view_name, node.args, node.kwargs, node.asvar)
        self.urls: dict[Any, str] = {}

    def render(self, context: Context) -> str:
        key = self.view_name.resolve(context), language_and_urls(context), context.autoescape
        url = self.urls.get(key)
        if url is None:
            text = super().render(context)
            url = self.urls[key] = context[self.asvar] if self.asvar else text
        if self.asvar:
            context[self.asvar] = url
            return ""
        return url


class ValueNode(VariableNode):
    """A variable. Most are texts, which need no look at time zones and formats of numbers."""

    def render(self, context: Context) -> str:
        value = self.filter_expression.resolve(context)
        if type(value) is SafeString:
            return value
        if type(value) is str:
            return escape(value) if context.autoescape else value
        return render_value_in_context(value, context)


def language_and_urls(context: Context) -> tuple[Any, ...]:
    """Return what texts of templates depend on, besides values. It is looked up once a rendering."""
    kept: dict[Any, Any] = context.render_context.dicts[0]
    found: tuple[Any, ...] | None = kept.get(language_and_urls)
    if found is None:
        urls = get_urlconf() or settings.ROOT_URLCONF
        found = kept[language_and_urls] = get_language(), get_script_prefix(), urls
    return found
