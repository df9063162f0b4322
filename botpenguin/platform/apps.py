from django.apps import AppConfig


class PlatformConfig(AppConfig):
    name = "botpenguin.platform"

    def ready(self) -> None:
        from accounts import housekeeping  # noqa: PLC0415
        from botpenguin.database import casefold  # noqa: F401, PLC0415 - registers what searches and the system checks
        from botpenguin.operations import settings_checks  # noqa: F401, PLC0415 - registers what searches and the system checks
        from botpenguin.platform import bot_deletion, staging  # noqa: PLC0415 - have models

        housekeeping.PARTS["tags of imports that were killed"] = staging.forget_dead
        housekeeping.PARTS["rows of deleted bots"] = bot_deletion.forget_deleted
