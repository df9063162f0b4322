"""Writes the tree of a response as HTML. A template for each value takes five times as long."""

from html import escape

from django.utils.safestring import SafeString, mark_safe
from django.utils.text import Truncator
from django.utils.translation import ngettext, pgettext

from accounts.web import formats
from developers.outbound.editor.response_tree import TreeNode, visible

# Characters of a key, and of a value.
LONGEST_KEY = 100
LONGEST_TEXT = 200


# Attributes of the button in each value: with scripts one button elsewhere posts for all. Chromium needs a second to
# put a thousand buttons that submit into a form.
BY_SCRIPT = 'type="button"'


def submitting_to(url: str) -> str:
    """Return the attributes of buttons that post the form to a URL without scripts."""
    return f'formaction="{escape(url)}" formnovalidate'


def write_tree(root: TreeNode, button: str = "") -> SafeString:
    """Write an item for each value. `button`: attributes of the button in each that has a path; without, none has."""
    return mark_safe(_Writer(button).item(root))  # noqa: S308 - each text in it is escaped


class _Writer:
    def __init__(self, button: str) -> None:
        self._has_buttons = bool(button)
        # What stands between the path and the value.
        # Translators: a verb on the button of a value of a response; the value itself follows it.
        verb = pgettext("verb", "Map")
        self._middle = f'" {button}><span class="visually-hidden">{escape(verb)} </span>'

    def item(self, node: TreeNode) -> str:
        key = f'<bdi class="response-tree__key">{_short(node.key, LONGEST_KEY)}</bdi>' if node.key else ""
        if node.kind in ("object", "list"):
            return f"<li>{self._details(node, key)}</li>"
        value = f"{key}: " if key else ""
        value += f"<bdi>{_short(node.text, LONGEST_TEXT)}</bdi>"
        if not (self._has_buttons and node.path):
            return f"<li><span>{value}</span></li>"
        return f'<li><button name="map" value="{node.kind} {escape(node.path)}{self._middle}{value}</button></li>'

    def _details(self, node: TreeNode, key: str) -> str:
        summary = f'<summary>{key} <span class="soft" dir="auto">{_size(node)}</span></summary>'
        children = "".join(map(self.item, node.children))
        if node.is_cut:
            children += f'<li><span class="soft" dir="auto">{_more(node.left_out)}</span></li>'
        return f"<details{' open' if node.is_open else ''}>{summary}<ul>{children}</ul></details>"


def _short(text: str, longest: int) -> str:
    if len(text) > longest:
        text = Truncator(text).chars(longest)
    return escape(visible(text))


def _size(node: TreeNode) -> str:
    if node.kind == "list":
        # Translators: beside the name of a list in a response: how many values it has.
        sentence = ngettext("list of %(number)s", "list of %(number)s", node.count)
    else:
        # Translators: beside the name of an object of JSON in a response: how many values it has.
        sentence = ngettext("object of %(number)s", "object of %(number)s", node.count)
    return escape(sentence % {"number": formats.number(node.count)})


def _more(number: int) -> str:
    sentence = ngettext(
        "%(number)s more is not shown here. The raw text has it.",
        "%(number)s more are not shown here. The raw text has them.",
        number,
    )
    return escape(sentence % {"number": formats.number(number)})
