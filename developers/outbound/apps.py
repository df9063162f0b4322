from django.apps import AppConfig


class OutboundConfig(AppConfig):
    name = "developers.outbound"
    label = "outbound"
