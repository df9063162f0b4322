"""Rules of written bodies that the document leaves out, because generators of clients lose fields by them.

A contact without any key of a contact is a map of attributes, attributes are a list or a map, and a new contact has a
name, an email or a number. The server keeps these rules, and tests put them into the document.
"""

from typing import Any

NUMBER = {"number": {"type": ["string", "integer"], "minLength": 1}}
REACHED = [
    {"required": ["email"], "properties": {"email": {"type": "string", "minLength": 1}}},
    {"required": ["phone"], "properties": {"phone": {"type": "object", "required": ["number"], "properties": NUMBER}}},
]


def restore(document: dict[str, Any]) -> None:
    """Put the rules into the document."""
    schemas = document["components"]["schemas"]
    listed = schemas["AttributeUpdate"]["properties"]["attributes"]
    attribute = listed["items"]["properties"]
    flat = {
        "maxProperties": listed["maxItems"],
        "propertyNames": attribute["key"],
        "additionalProperties": attribute["value"],
    }
    as_map = {"type": "object", **flat}
    _take_maps([document["paths"], schemas], listed["items"], as_map)
    keys = sorted({"attributes", *schemas["ContactOut"]["properties"]} - {"shortened"})
    schemas["ContactIn"]["anyOf"] = [*({"required": [key]} for key in keys), flat]
    schemas["NewUserDetailsIn"]["anyOf"] = [
        *(_has(name, attribute["key"]["pattern"]) for name in ("userProvidedName", "name")),
        {"required": ["contact"], "properties": {"contact": {"type": "object", "anyOf": REACHED}}},
    ]
    path = document["paths"]["/inbox/users/{contact_id}/attributes"]
    body = path["put"]["requestBody"]["content"]["application/json"]
    body["schema"] = {"anyOf": [body["schema"], as_map]}


def _has(name: str, pattern: str) -> dict[str, Any]:
    return {"required": [name], "properties": {name: {"type": "string", "pattern": pattern}}}


def _take_maps(part: Any, items: Any, as_map: dict[str, Any]) -> None:
    """Let each list of attributes be a map too."""
    inner = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    for value in inner:
        _take_maps(value, items, as_map)
    if isinstance(part, dict) and part.get("items") == items:
        as_list = dict(part)
        part.clear()
        part["anyOf"] = [as_list, as_map]
