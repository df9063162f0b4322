from django.apps import AppConfig


class DevelopersConfig(AppConfig):
    name = "developers"

    def ready(self) -> None:
        from botpenguin.operations import checks  # noqa: F401, PLC0415 - registers the system checks
