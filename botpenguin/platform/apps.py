from django.apps import AppConfig


class PlatformConfig(AppConfig):
    name = "botpenguin.platform"

    def ready(self) -> None:
        # Importing it registers the look-up.
        from botpenguin.database import casefold  # noqa: F401, PLC0415
