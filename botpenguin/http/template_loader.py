"""Loads each template once, with the parts that are the same in every response joined into one text.

Those are translations, links to static files, URLs without arguments, and the pictures: of a page some 150 nodes, which
take half its rendering. They are rendered without a context, so that nothing of a request can be in them.
"""

from typing import Any

from django.template import Context, Engine, Node, Template, TemplateSyntaxError
from django.template.base import FilterExpression, NodeList, TextNode, TokenType, Variable, VariableNode
from django.template.defaulttags import CommentNode, IfNode, LoadNode, URLNode
from django.template.loader_tags import IncludeNode
from django.template.loaders import cached
from django.template.loaders.base import Loader as BaseLoader
from django.templatetags.i18n import BlockTranslateNode, LanguageNode, TranslateNode
from django.templatetags.static import StaticNode

from botpenguin.http.template_nodes import ConstantNode, NamedURLNode, ValueNode

LOADERS = ["django.template.loaders.filesystem.Loader", "django.template.loaders.app_directories.Loader"]


class _JoiningLoader(BaseLoader):
    """Joins the constant nodes of a template, before any thread has it."""

    def get_template(self, template_name: str, skip: Any = None) -> Template:
        template = super().get_template(template_name, skip)
        join(template.nodelist, self.engine)
        return template


class Loader(cached.Loader, _JoiningLoader):
    """Django's default loaders, whose templates are joined and then kept."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine, LOADERS)


def join(nodes: NodeList, engine: Engine) -> None:
    """Join constant nodes in place: blocks and partials are known by the lists that they have."""
    joined: list[Node] = []
    run: list[Node] = []
    for node in [*nodes, None]:
        if node is not None and _is_constant(node, engine):
            run.append(node)
            continue
        is_text = all(isinstance(constant, TextNode) for constant in run)
        joined += run if is_text else [ConstantNode(run)]
        run = []
        if node is not None:
            joined.append(_quicker(node))
            for inner in _lists_in(node):
                join(inner, engine)
    nodes[:] = joined


def _quicker(node: Node) -> Node:
    """Return a node that renders the same in less time, or this one."""
    if isinstance(node, LanguageNode):
        raise TemplateSyntaxError("A page has one language: parts of it are kept by that. Use translation.override.")
    quicker = node
    if type(node) is VariableNode:
        quicker = ValueNode(node.filter_expression)
    elif isinstance(node, URLNode) and not (node.args or node.kwargs):
        quicker = NamedURLNode(node)
    quicker.token, quicker.origin = node.token, node.origin
    return quicker


def _lists_in(node: Node) -> list[NodeList]:
    if isinstance(node, IfNode):
        return [nodes for _condition, nodes in node.conditions_nodelists]
    lists = (getattr(node, name, None) for name in node.child_nodelists)
    return [nodes for nodes in lists if isinstance(nodes, NodeList)]


def _is_constant(node: Node, engine: Engine) -> bool:
    match node:
        case TranslateNode():
            return not (node.asvar or node.message_context) and _is_literal(node.filter_expression)
        case BlockTranslateNode():
            has_more = node.asvar or node.plural or node.extra_context or node.message_context
            return not has_more and all(token.token_type == TokenType.TEXT for token in node.singular)
        case StaticNode():
            return not node.varname and _is_literal(node.path)
        case URLNode():
            return not (node.asvar or node.args or node.kwargs) and _is_literal(node.view_name)
        case IncludeNode():
            return _is_constant_include(node, engine)
    return isinstance(node, TextNode | LoadNode | CommentNode | ConstantNode)


def _is_constant_include(node: IncludeNode, engine: Engine) -> bool:
    """Return whether a template with no variables, or with literals `only`, is included."""
    values = node.extra_context.values()
    if not all(map(_is_literal, [node.template, *values])):
        return False
    nodes = engine.get_template(node.template.resolve(Context())).nodelist
    if all(_is_constant(part, engine) for part in nodes):
        return True
    return node.isolated_context and all(_depends_on_values_only(part, engine) for part in nodes)


def _depends_on_values_only(node: Node, engine: Engine) -> bool:
    if isinstance(node, IfNode):
        return all(_depends_on_values_only(inner, engine) for nodes in _lists_in(node) for inner in nodes)
    if isinstance(node, VariableNode):
        return not node.filter_expression.filters
    return _is_constant(node, engine)


def _is_literal(expression: FilterExpression) -> bool:
    # A literal is a text already, except in a translation.
    is_literal = not isinstance(expression.var, Variable) or expression.var.literal is not None
    return is_literal and not expression.filters
