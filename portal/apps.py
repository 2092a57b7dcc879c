from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "portal"

    def ready(self) -> None:
        from . import checks  # noqa: F401  (they register themselves on import)
        from .celery import app  # noqa: F401  (tasks bind to the app that exists when they are imported)
