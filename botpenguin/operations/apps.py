from django.apps import AppConfig


class OperationsConfig(AppConfig):
    name = "botpenguin.operations"

    def ready(self) -> None:
        # Importing them registers the system checks.
        from botpenguin.operations import cache_checks, checks, pooler_checks, settings_checks  # noqa: F401, PLC0415
