"""What administrators say about alerts: by which rules they ring, and where messages go."""

from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.template.defaultfilters import floatformat
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portal.kit.wording import group_name
from portal.web.forms import MarkedForm
from recharge.choices import AlertChannelKind
from recharge.models import AlertChannel, AlertQuietHours, AlertRule

from .services import channels, rules

SELECT = {"class": "form-select"}
CHECK = {"class": "form-check-input"}
DISTANCES = [
    (0, _("only once")),
    (15, _("after 15 minutes")),
    (60, _("after 1 hour")),
    (240, _("after 4 hours")),
    (1440, _("after 1 day")),
]
MAX_THRESHOLD = 100_000_000


class _Boxes(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]  # Django's own can't be given any
    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, widget=forms.CheckboxSelectMultiple(attrs=CHECK), **options)

    def label_from_instance(self, obj: Any) -> str:
        return group_name(obj) if isinstance(obj, Group) else str(obj)


class RuleForm(MarkedForm):
    """How one kind rings. What the environment names stands still."""

    on = forms.BooleanField(label=_("Rings"), required=False, widget=forms.CheckboxInput(attrs=CHECK))
    threshold = forms.IntegerField(label=_("Rings from"), required=False, min_value=0, max_value=MAX_THRESHOLD)
    again_after = forms.TypedChoiceField(
        label=_("Rings again while it lasts"), coerce=int, choices=DISTANCES, widget=forms.Select(attrs=SELECT)
    )
    can_wait = forms.BooleanField(
        label=_("Can wait: not within the quiet hours"), required=False, widget=forms.CheckboxInput(attrs=CHECK)
    )
    groups = _Boxes(queryset=Group.objects.order_by("name"), label=_("Shown in the portal to"))
    channels = _Boxes(queryset=AlertChannel.objects.none(), label=_("Sent to"))

    def __init__(self, data: Any, rule: AlertRule) -> None:
        kept = not rule._state.adding
        now: dict[str, Any] = {
            "on": rule.on,
            "threshold": rule.threshold,
            "again_after": rule.again_after,
            "can_wait": rule.can_wait,
        }
        if kept:
            now |= {"groups": rule.groups.all(), "channels": rule.channels.without_secrets()}
        super().__init__(data, initial=now)
        choice: Any = self.fields["channels"]
        choice.queryset = AlertChannel.objects.without_secrets().filter(on=True)
        self._offer_present_distance(rule.again_after)
        self._offer_threshold(rule)

    def _offer_present_distance(self, minutes: int) -> None:
        """Keep an unusual interval that is already stored."""
        field: Any = self.fields["again_after"]
        if minutes not in dict(DISTANCES):
            field.choices = [*DISTANCES, (minutes, gettext("after %(minutes)d minutes") % {"minutes": minutes})]

    def _offer_threshold(self, rule: AlertRule) -> None:
        known, field = rules.THRESHOLDS.get(rule.kind), self.fields["threshold"]
        if known is None:
            del self.fields["threshold"]
            return
        default = floatformat(known.default)
        field.help_text = gettext("%(unit)s; empty: %(default)s") % {"unit": known.unit, "default": default}
        if known.fixed:
            told = {"unit": known.unit, "name": known.setting}
            words = gettext("%(unit)s; %(name)s in the settings fixes it") % told
            fixed = forms.CharField(label=field.label, required=False, disabled=True, help_text=words)
            self.fields["threshold"], self.initial["threshold"] = fixed, default


class QuietHoursForm(MarkedForm):
    """When messages that can wait are held back; both empty: never."""

    begin = forms.TimeField(
        label=_("Begin"), required=False, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )
    end = forms.TimeField(
        label=_("End"), required=False, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )

    def __init__(self, data: Any, hours: AlertQuietHours | None) -> None:
        super().__init__(data, initial={"begin": hours.begin, "end": hours.end} if hours else {})

    def clean(self) -> dict[str, Any] | None:
        said = super().clean() or self.cleaned_data
        if bool(said.get("begin")) != bool(said.get("end")):
            self.add_error("end", _("Enter both, or none."))
        return said


class ChannelForm(MarkedForm):
    """What every channel has. Where it has an address already, the fields of the address may stay empty."""

    name = forms.CharField(label=_("Name"), max_length=60, help_text=_("as people will find it again"))
    on = forms.BooleanField(label=_("Switched on"), required=False, widget=forms.CheckboxInput(attrs=CHECK))

    address_fields: ClassVar[tuple[str, ...]] = ("secret_url",)
    intro: ClassVar[Any] = ""

    def __init__(self, data: Any, channel: AlertChannel | None) -> None:
        super().__init__(data, initial={"name": channel.name, "on": channel.on} if channel else {"on": True})
        self._has_address = channel is not None
        for name in self.address_fields if self._has_address else ():
            self.fields[name].required = False

    def refuse(self, error: Exception) -> None:
        """Show what a service refused, beside the field that it names."""
        field = {"url": "secret_url"}.get(getattr(error, "field", ""), "secret")
        self.add_error(field if field in self.fields else None, str(error))

    def address(self) -> str:
        """Return the address of what was typed; "" where nothing was, so that the stored one stays.

        Raises:
            BadAddress: it is none.
        """
        return "" if self._has_address and not self._typed() else self.make_address()

    def make_address(self) -> str:
        raise NotImplementedError

    def _typed(self) -> bool:
        return any(self.cleaned_data.get(name) for name in self.address_fields)


class _TypedOnce(forms.TextInput):
    """Shows what is being typed, and never what was."""

    def format_value(self, value: Any) -> None:
        return None


def _secret(
    label: Any, widget: type[forms.PasswordInput | forms.TextInput] = forms.PasswordInput, **options: Any
) -> forms.CharField:
    """Make a field whose value is never shown again, not even where the form was refused."""
    return forms.CharField(label=label, max_length=500, widget=widget(attrs={"autocomplete": "off"}), **options)


class RobotForm(ChannelForm):
    """A group robot of a messenger."""

    secret_url = _secret(
        _("URL of the robot"), _TypedOnce, help_text=_("as the messenger shows it; nobody is shown it again")
    )

    kind: ClassVar[AlertChannelKind]

    def make_address(self) -> str:
        return channels.robot(self.kind, self.cleaned_data["secret_url"], self.cleaned_data.get("secret", ""))


class WeComForm(RobotForm):
    kind = AlertChannelKind.WECOM
    intro = _("In the group: add a group robot, and copy its Webhook URL.")


class DingTalkForm(RobotForm):
    kind = AlertChannelKind.DINGTALK
    intro = _("In the group: group assistant, add a custom robot with signing, and copy its Webhook and its secret.")
    secret = _secret(_("Secret for signing"), required=False, help_text=_("begins with SEC; empty without signing"))


class FeishuForm(RobotForm):
    kind = AlertChannelKind.FEISHU
    intro = _("In the group: add a custom bot with signature check, and copy its webhook URL and its secret.")
    secret = _secret(_("Secret for signing"), required=False, help_text=_("empty without signature check"))


class LarkForm(FeishuForm):
    kind = AlertChannelKind.LARK


class MailForm(ChannelForm):
    """A mail server, and who gets mail through it."""

    server = forms.CharField(label=_("Mail server"), max_length=200)
    port = forms.IntegerField(
        label=_("Port"), required=False, min_value=1, max_value=65535, help_text=_("empty: the usual one")
    )
    mode = forms.ChoiceField(label=_("Encryption"), widget=forms.Select(attrs=SELECT))
    user = forms.CharField(label=_("User"), max_length=200, required=False)
    password = _secret(_("Password"), required=False)
    sender = forms.EmailField(label=_("Sender"), max_length=200)
    to = forms.CharField(label=_("Recipients"), max_length=500, help_text=_("addresses, separated by commas"))

    address_fields = ("server", "sender", "to")
    intro = _("Nobody is shown any of it again: to change it, type all of it anew.")

    def __init__(self, data: Any, channel: AlertChannel | None) -> None:
        super().__init__(data, channel)
        modes = [("starttls", _("STARTTLS (587)")), ("ssl", _("TLS from the start (465)"))]
        mode: Any = self.fields["mode"]
        mode.choices = [*modes, ("insecure", _("none: for trying out only"))] if settings.DEBUG else modes

    def clean_to(self) -> list[str]:
        found = [one.strip() for one in self.cleaned_data["to"].replace("，", ",").split(",") if one.strip()]
        for one in found:
            validate_email(one)
        return found

    def clean_server(self) -> str:
        server: str = self.cleaned_data["server"].strip()
        if any(mark in server for mark in "/@:?# "):
            raise ValidationError(_("Only the name of the server, such as smtp.example.com."))
        return server

    def clean(self) -> dict[str, Any] | None:
        said = super().clean() or self.cleaned_data
        if self._typed():
            for name in (name for name in self.address_fields if not said.get(name) and name not in self.errors):
                self.add_error(name, _("Type all of it anew."))
        return said

    def make_address(self) -> str:
        names = ("server", "port", "mode", "user", "password", "sender", "to")
        return channels.mailbox(**{name: self.cleaned_data[name] for name in names})


class WebhookForm(ChannelForm):
    """A URL of one's own, signed by the rules of Standard Webhooks."""

    secret_url = _secret("URL", _TypedOnce, help_text=_("begins with https://; nobody is shown it again"))
    intro = _("JSON by POST, signed by the rules of standardwebhooks.com. The secret to check it with is shown once.")

    def __init__(self, data: Any, channel: AlertChannel | None) -> None:
        super().__init__(data, channel)
        self.signs_with = channels.new_secret()

    def make_address(self) -> str:
        return channels.webhook(self.cleaned_data["secret_url"], self.signs_with)


FORMS: dict[str, type[ChannelForm]] = {
    AlertChannelKind.WECOM: WeComForm,
    AlertChannelKind.DINGTALK: DingTalkForm,
    AlertChannelKind.FEISHU: FeishuForm,
    AlertChannelKind.LARK: LarkForm,
    AlertChannelKind.MAIL: MailForm,
    AlertChannelKind.WEBHOOK: WebhookForm,
}
"""The kinds that are added in the browser."""
