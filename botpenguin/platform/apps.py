from django.apps import AppConfig


class PlatformConfig(AppConfig):
    name = "botpenguin.platform"

    def ready(self) -> None:
        from botpenguin import caseless, checks  # noqa: F401, PLC0415 - registers what searches and the system checks
