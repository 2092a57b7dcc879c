from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OilcardsConfig(AppConfig):
    name = "oilcards"
    verbose_name = _("Oil cards")
