"""The rules of docs/secret-scanning for scanners: what they find in texts, read as the scanners read them."""

import json
import math
import re
import tomllib
from collections import Counter
from collections.abc import Callable

import pytest
import yaml

from developers import tokens
from tests.leaked_texts import RULES, TEXTS, LeakedText, published_pattern

# What RE2 and JavaScript read alike: literals, classes, counts and the boundary of ASCII words.
PORTABLE = re.compile(r"(?:\\b|\w|\[[\w-]+\]|\{\d+\})+", re.ASCII)
GITLEAKS = tomllib.loads((RULES / "gitleaks.toml").read_text())
SECRETLINT = json.loads((RULES / "secretlintrc.json").read_text())
KINGFISHER = yaml.safe_load((RULES / "kingfisher.yml").read_text())

each_text = pytest.mark.parametrize("leaked", TEXTS.values(), ids=TEXTS)


def entropy(text: str) -> float:
    """Return the bits for each character, as gitleaks and kingfisher count them."""
    shares = [count / len(text) for count in Counter(text).values()]
    return -sum(share * math.log2(share) for share in shares)


def found_by_gitleaks(text: str) -> list[str]:
    (rule,) = GITLEAKS["rules"]
    if not any(keyword in text.lower() for keyword in rule["keywords"]):
        return []
    found = re.findall(rule["regex"], text, re.ASCII)
    return [match for match in found if entropy(match) > rule["entropy"]]


def found_by_secretlint(text: str) -> list[str]:
    (rule,) = SECRETLINT["rules"]
    (named,) = rule["options"]["patterns"]
    (pattern,) = named["patterns"]
    return re.findall(pattern.removeprefix("/").removesuffix("/"), text, re.ASCII)


def found_by_kingfisher(text: str) -> list[str]:
    (rule,) = KINGFISHER["rules"]
    checksum = rule["pattern_requirements"]["checksum"]
    assert checksum["expected"] == "{{ body | crc32 | base62: 6 }}"
    assert checksum["actual"] == {"template": "{{ checksum }}", "requires_capture": "checksum"}
    found = re.finditer(rule["pattern"], text, re.ASCII)
    matches = [match for match in found if match["checksum"] == tokens.checksum(match["body"])]
    return [match[1] for match in matches if entropy(match[1]) > rule["min_entropy"]]


@each_text
@pytest.mark.parametrize("find", [found_by_gitleaks, found_by_secretlint])
def test_the_rules_with_the_pattern_find_each_token_of_a_text(
    leaked: LeakedText, find: Callable[[str], list[str]]
) -> None:
    text = leaked.written()

    found = find(text)

    assert len(found) == (max(leaked.text.count("{token}"), 1) if leaked.is_found else 0)
    assert set(found) <= set(tokens.PATTERN.findall(text))


@each_text
def test_the_rule_with_the_checksum_leaves_out_what_is_no_token(leaked: LeakedText) -> None:
    text = leaked.written()

    found = found_by_kingfisher(text)

    assert bool(found) is leaked.is_found_by_checksum
    assert [match for match in found if not tokens.is_well_formed(match)] == []


def test_the_published_pattern_is_the_one_of_the_rules() -> None:
    pattern = published_pattern()

    assert pattern == GITLEAKS["rules"][0]["regex"]
    assert [f"/{pattern}/"] == SECRETLINT["rules"][0]["options"]["patterns"][0]["patterns"]
    assert pattern in (RULES / "README.md").read_text()


def test_the_published_pattern_is_read_alike_by_every_engine() -> None:
    assert PORTABLE.fullmatch(published_pattern())


def test_placeholders_are_no_leaks() -> None:
    text = f"bpat_{'x' * 46} bpat_{'0' * 46} bpat_{'abc' * 15}x"

    assert (found_by_gitleaks(text), found_by_kingfisher(text)) == ([], [])


def test_no_token_has_so_few_different_characters_that_it_seems_a_placeholder() -> None:
    least = min(entropy(tokens.generate().open()) for _ in range(200))

    assert least > GITLEAKS["rules"][0]["entropy"] + 1
