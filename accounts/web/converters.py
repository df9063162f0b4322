"""Converters of URL paths."""

from django.urls import register_converter
from django.urls.converters import StringConverter

from accounts.orm.object_ids import OBJECT_ID


class ObjectIdConverter(StringConverter):
    regex = OBJECT_ID.pattern


register_converter(ObjectIdConverter, "object_id")
