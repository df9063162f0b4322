from django.apps import AppConfig


class PlatformConfig(AppConfig):
    name = "botpenguin.platform"

    def ready(self) -> None:
        from botpenguin import checks  # noqa: F401, PLC0415 - registers the system checks
