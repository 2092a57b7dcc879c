"""Template tags that every page may use."""

from django import forms, template
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

import portal
from portal.kit.lists import listed
from portal.kit.wording import group_name, person
from portal.web import rendering

register = template.Library()

for render in (
    rendering.money,
    rendering.count,
    rendering.digits,
    rendering.time_left,
    rendering.moment,
    rendering.ago,
    rendering.in_sight,
    rendering.laid_out,
    rendering.linked_orders,
    person,
    listed,
):
    register.filter(render)

register.filter("group", group_name)


@register.simple_tag
def icon(name: str, classes: str = "") -> SafeString:
    """Show an icon of portal/web/icons.py; it is decoration, words beside it say the same."""
    return format_html(
        '<svg class="icon {}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" '
        'stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">'
        '<use href="{}#{}"></use></svg>',
        classes,
        static("vendor/icons.svg"),
        name,
    )


@register.simple_tag(takes_context=True)
def kept_fields(context: template.Context, only: str = "", without: str = "") -> SafeString:
    """Return hidden fields with what the address says, for a form that asks for the same page in another way.

    Args:
        context: of the page, with its request.
        only: names, divided by blanks, of what is kept; "": everything but `without`.
        without: names, divided by blanks, of what is not.
    """
    kept = [
        (name, value)
        for name, values in context["request"].GET.lists()
        for value in values
        if value and (name in only.split() if only else name not in without.split())
    ]
    return format_html_join("", '<input type="hidden" name="{}" value="{}">', kept)


@register.simple_tag
def portal_version() -> str:
    """Return the portal's version; a tag, because error pages are rendered without any context."""
    return portal.__version__


@register.filter
def control(field: forms.BoundField) -> SafeString:
    """Show a field's input, in Tabler's look where the form names none of its own."""
    looks = field.field.widget.attrs.get("class", "")
    if "form-" not in looks:
        looks += " form-select" if isinstance(field.field.widget, forms.Select) else " form-control"
    if field.errors and "is-invalid" not in looks:
        looks += " is-invalid"
    return field.as_widget(attrs={"class": looks.strip()})
