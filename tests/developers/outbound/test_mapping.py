from typing import Any

import pytest

from developers.outbound import mapping
from developers.outbound.mapping import NOT_FOUND, UnsuitableValue, apply, cast, check, find, path_of
from developers.outbound.recipe import AttributeMapping

DATA = {"data": {"items": [{"name": "Asha"}, {"name": None}], "a'b\\c é": 7}, "$x": 1}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("data.items[0].name", "Asha"),
        ("$.data.items[0].name", "Asha"),
        ("$['data'][\"items\"][-2]['name']", "Asha"),
        (" data.items[1].name ", None),
        ("['$x']", 1),
        (".data.items[0].name", "Asha"),
        ("$", DATA),
        ("data.items[9].name", NOT_FOUND),
        ("data.items.name", NOT_FOUND),
    ],
)
def test_a_path_finds_one_value(path: str, value: Any) -> None:
    assert check(path) is None
    assert find(path, DATA) is value or find(path, DATA) == value


@pytest.mark.parametrize("path", ["data.items[*].name", "$..name", "data.items[0:2]", "data.items[?@.name]", "$[0,1]"])
def test_a_path_that_finds_several_values_is_refused(path: str) -> None:
    assert check(path) == "This path finds several values. Name one, without *, ?, : or two dots."


@pytest.mark.parametrize("path", ["data items", "data[", "data['x]", "data.items[01]", "$$", "data[99999999999999999]"])
def test_a_path_that_is_none_is_refused(path: str) -> None:
    assert check(path) == "This path cannot be read. Write it like data.items[0].name."


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("a.b-c", "$['a']['b-c']"),
        ("$.a.b-c", "$['a']['b-c']"),
        ("content-type", "$['content-type']"),
        ("data.items.0.name", "data.items[0].name"),
        ("a.0", "a[0]"),
        ("0.a", "$[0]['a']"),
        ("x.@type", "$['x']['@type']"),
        ("1a.b", "$['1a']['b']"),
        ("a-b[3].c", "$['a-b'][3]['c']"),
        ("a/b", "$['a/b']"),
        ("größe.é-ü", "$['größe']['é-ü']"),
        ("a.b\\c", "$['a']['b\\\\c']"),
        ("日本-語", "$['日本-語']"),
    ],
)
def test_a_path_that_is_nearly_one_is_offered_as_it_must_be_written(path: str, meant: str) -> None:
    assert check(path) == f"This path cannot be read. Write it as {meant}."
    assert check(meant) is None


@pytest.mark.parametrize("path", ["-".join("ab") * 9 + ".b" * 200, "a..b-c", "a b-c", "$$.a-b", "*.a-b"])
def test_a_path_whose_meaning_is_unclear_gets_an_example(path: str) -> None:
    assert check(path) == "This path cannot be read. Write it like data.items[0].name."


@pytest.mark.parametrize(
    "name", ["ключ", "数据", "名前", "이름", "नाम", "हिंदी", "شيء", "שם", "ชื่อ", "größe", "ﬁ", "ª", "😀", "𐎀𐎁", "a数"]
)
def test_names_of_any_script_may_follow_a_dot(name: str) -> None:
    data = {name: [{name: 7}], "a'b": {name: 8}}

    assert find(f"{name}[0].{name}", data) == 7
    assert find(f"$.{name}[0].{name}", data) == 7
    assert find(f"['a\\'b'].{name}", data) == 8
    assert check(f"$..{name}") == "This path finds several values. Name one, without *, ?, : or two dots."


def test_a_path_has_a_length() -> None:
    assert check(" ") == "Name the value, for instance data.items[0].name."
    assert check("x" * 501) == "Keep the path to 500 characters."


def test_the_path_of_a_clicked_value_finds_it_again() -> None:
    path = path_of("data", "a'b\\c é")

    assert path == "$['data']['a\\'b\\\\c é']"
    assert check(path) is None
    assert find(path, DATA) == 7
    assert find(path_of("data", "items", 0, "name"), DATA) == "Asha"
    assert path_of() == "$"


@pytest.mark.parametrize(
    ("value", "kind", "fits"),
    [
        ("gold", "text", "gold"),
        (41, "text", "41"),
        (1.5, "text", "1.5"),
        (True, "text", "true"),
        (False, "text", "false"),
        (None, "number", None),
        (41, "number", 41),
        ("41.0", "number", 41),
        (-1.5, "number", -1.5),
        (True, "yes_no", True),
        ("No", "yes_no", False),
        (1, "yes_no", True),
        ("2026-11-24", "date", "2026-11-24"),
        ("2026-11-24T14:02:09Z", "date", "2026-11-24T14:02:09+00:00"),
        ("gold", None, "gold"),
        (41, None, 41),
        (True, None, True),
        (2**53, "text", "9007199254740992"),
        (17841400000000001, "text", "17841400000000001"),
        (-12345678901234567890, "text", "-12345678901234567890"),
        (10**400, "text", f"1{'0' * 400}"),
        (-(10**400), "text", f"-1{'0' * 400}"),
        (12345678901234567890, "text", "12345678901234567890"),
        (0, "text", "0"),
        (2**53 - 1, None, 2**53 - 1),
    ],
)
def test_a_value_is_made_to_fit(value: Any, kind: str | None, fits: Any) -> None:
    assert (cast(value, kind), type(cast(value, kind))) == (fits, type(fits))


@pytest.mark.parametrize(
    ("value", "kind", "why"),
    [
        ([1], "text", "is a list or an object. Choose a value inside it"),
        ({}, None, "is a list or an object. Choose a value inside it"),
        ("a\0", "text", "holds a character that cannot be stored"),
        ("\ud800", "date", "holds a character that cannot be stored"),
        ("x" * 1001, "text", "is longer than 1,000 characters"),
        ("gold", "number", "is no number"),
        (True, "number", "is no number"),
        ("nan", "number", "is no number"),
        (2**60, None, "is a number beyond 2^53"),
        (10**400, "number", "is a number beyond 2^53"),
        (1e300, "text", "is a number beyond 2^53"),
        (10**1000, "text", "is longer than 1,000 characters"),
        ("maybe", "yes_no", "is neither yes nor no"),
        ("yesterday", "date", "is no date such as 2026-11-24"),
        (7, "date", "is no date such as 2026-11-24"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_with_a_reason(value: Any, kind: str | None, why: str) -> None:
    with pytest.raises(UnsuitableValue) as caught:
        cast(value, kind)
    names = {"attribute": "all", "path": "data", "most": "1,000"}
    assert str(caught.value.sentence) % names == f"all was not set: what is at data {why}."


def test_each_mapping_sets_its_attribute_or_says_why_not() -> None:
    mappings = (
        AttributeMapping("data.items[0].name", "Name"),
        AttributeMapping("data.items", "all"),
        AttributeMapping("data.age", "age"),
    )

    mapped, missing = apply(mappings, DATA, {"name": "text"})

    assert mapped == {"Name": "Asha"}
    assert missing == [
        "all was not set: what is at data.items is a list or an object. Choose a value inside it.",
        "age was not set: there is no data.age in the response.",
    ]
    assert mapping.LARGEST_NUMBER == 2**53 - 1
