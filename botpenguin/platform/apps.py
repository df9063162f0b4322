from django.apps import AppConfig


class PlatformConfig(AppConfig):
    name = "botpenguin.platform"
