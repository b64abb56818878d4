from django.apps import AppConfig


class DemoConfig(AppConfig):
    """Has no models: it is an app for its command's sake."""

    name = "demo"
