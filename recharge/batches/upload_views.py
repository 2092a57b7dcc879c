"""From a sheet to a batch: upload it, look at what would come of it, make it."""

import uuid

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db import transaction
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRedirect, HttpResponseClientRefresh

from portal.kit.secrecy import personal
from portal.sheets import MAX_FILE_BYTES, MAX_ROWS, WIDEST_PROPOSED, ColumnsUnsure, UnreadableSheet
from portal.web.bodies import takes
from portal.web.downloads import sheet_response
from portal.web.fragments import render_live
from portal.web.request import Request
from recharge.batches.services.columns.choosing import BadColumns, choices, choose_columns, question_of
from recharge.batches.services.making import make_batch
from recharge.batches.services.preview import Preview
from recharge.batches.services.uploading import keep_upload, use_quantities
from recharge.choices import Product
from recharge.core.errors import Outdated, ServiceError, StillReading
from recharge.core.exporting import export
from recharge.core.totals import Totals
from recharge.limits.services import number_asking
from recharge.models import Batch, BatchDraft, ListReading

from .forms import ColumnsForm, MakeForm, UploadForm
from .services import judging, number_checks, preview
from .views import NOTICED_AFTER

MAX_UPLOAD_BYTES = MAX_FILE_BYTES + settings.DATA_UPLOAD_MAX_MEMORY_SIZE
DRAFTS_SHOWN = 5
FOR_ALL = ("value_for_all", "purpose_for_all", "reference_for_all")


@takes(MAX_UPLOAD_BYTES)
@require_http_methods(["GET", "HEAD", "POST"])
@personal
@permission_required("recharge.add_batch", raise_exception=True)
def batch_new(request: Request) -> HttpResponse:
    """Take a sheet, or pasted lines; `?product=oil` is about cards."""
    with_oil = request.user.has_perm("oilcards.view_oilcard")
    if request.method != "POST":
        wanted = request.GET.get("product", "").upper()
        product = Product.OIL if with_oil and wanted == Product.OIL else Product.MOBILE
        return _show_upload(request, UploadForm(with_oil=with_oil, initial={"product": product}))
    form = UploadForm(request.POST, request.FILES, with_oil=with_oil)
    if form.is_valid():
        try:
            draft = keep_upload(
                content=form.content(),
                file_name=form.file_name,
                product=form.cleaned_data["product"],
                uploaded_by=request.user,
                **{name: form.cleaned_data[name] for name in FOR_ALL},
            )
        except UnreadableSheet as refusal:
            form.refuse(refusal)
        else:
            return redirect("batch_preview", draft.pk)
    return _show_upload(request, form)


@require_GET
@permission_required("recharge.add_batch", raise_exception=True)
def batch_template(request: Request, product: str, kind: str) -> HttpResponseBase:
    """Download a sheet to be filled in."""
    product = product.upper()
    header = preview.titles(product, chinese=_in_chinese())
    return sheet_response(f"template-{product.lower()}", kind, header, [preview.example(product)])


@require_http_methods(["GET", "HEAD", "POST"])
@personal
@permission_required("recharge.add_batch", raise_exception=True)
def batch_preview(request: Request, draft_id: uuid.UUID) -> HttpResponse:
    """Show what would come of a sheet, to the person who uploaded it; a POST makes the batch."""
    draft = _draft(request, draft_id)
    if draft is None:
        return _gone(request, draft_id)
    reading = judging.reading_of(draft)
    if reading and reading.asks_columns:
        return _onward(request, "batch_columns", draft.pk)
    if reading and (reading.problem or not reading.judged_at):
        return _show_reading(request, draft, reading)
    if request.htmx:
        return HttpResponseClientRefresh()  # the page that waited for the judging
    form = MakeForm(request.POST if request.method == "POST" else None, product=draft.product)
    try:
        if form.is_bound and form.is_valid():
            try:
                batch = make_batch(draft=draft, made_by=request.user, **form.said)
            except ServiceError as error:
                form.refuse(error)
                draft = _draft(request, draft_id) or draft  # what is shown now is what holds now
            else:
                return redirect("batch_detail", batch.pk)
        found = judging.judged_preview(draft)
        seen = preview.compared(found[0] if found else preview.preview(draft), draft, request.user)
    except ColumnsUnsure:
        return redirect("batch_columns", draft.pk)
    except StillReading:
        return redirect("batch_preview", draft.pk)
    except UnreadableSheet as refusal:
        messages.error(request, str(refusal))
        return redirect("batch_new")
    context = {
        "draft": draft,
        "reading": reading,
        "form": form,
        "seen": seen,
        "table": _table(seen),
        "totals": _totals(seen),
        "button": _button(seen),
        **_numbers(draft),
    }
    return render(request, "recharge/batches/batch_preview.html", context)


@require_POST
@personal
@permission_required("recharge.add_batch", raise_exception=True)
def batch_quantities(request: Request, draft_id: uuid.UUID) -> HttpResponse:
    """Make as many orders of a line as its quantity says, or don't."""
    draft = _draft(request, draft_id)
    if draft is None:
        return _gone(request, draft_id)
    try:
        use_quantities(draft=draft, wanted="wanted" in request.POST)
    except (Outdated, UnreadableSheet) as refusal:
        messages.error(request, str(refusal))
    return redirect("batch_preview", draft.pk)


@require_POST
@personal
@permission_required("recharge.add_batch", raise_exception=True)
def batch_judge_again(request: Request, draft_id: uuid.UUID) -> HttpResponse:
    """Let a worker judge a large list once more: other orders may have been placed since."""
    draft = _draft(request, draft_id)
    if draft is None:
        return _gone(request, draft_id)
    if judging.reading_of(draft):
        judging.begin_again(draft)
    return redirect("batch_preview", draft.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@personal
@permission_required("recharge.add_batch", raise_exception=True)
def batch_numbers(request: Request, draft_id: uuid.UUID) -> HttpResponse:
    """Show how far asking the platform about a list's numbers has got; a POST asks anew what was not answered."""
    draft = _draft(request, draft_id)
    if draft is None:
        return _gone(request, draft_id)
    if request.method == "POST":
        with transaction.atomic():
            number_checks.begin(draft)
    if not request.htmx:
        return redirect("batch_preview", draft.pk)
    return render(request, "recharge/batches/_number_check.html", _numbers(draft))


@require_http_methods(["GET", "HEAD", "POST"])
@personal
@permission_required("recharge.add_batch", raise_exception=True)
def batch_columns(request: Request, draft_id: uuid.UUID) -> HttpResponse:
    """Ask which column of a list is which, where its header doesn't say."""
    draft = _draft(request, draft_id)
    if draft is None:
        return _gone(request, draft_id)
    try:
        question = question_of(draft)
        if question is None:
            return redirect("batch_preview", draft.pk)
        width = min(WIDEST_PROPOSED, max(len(row.cells) for row in question.beginning))
        form = ColumnsForm(
            request.POST if request.method == "POST" else None,
            choices=choices(draft),
            proposed=question.proposed,
            width=width,
        )
        if form.is_bound and form.is_valid():
            try:
                choose_columns(draft=draft, positions=form.positions, chosen_by=request.user)
            except BadColumns as error:
                form.refuse(error)
            except Outdated as error:
                messages.error(request, str(error))
                return redirect("batch_preview", draft.pk)
            else:
                return redirect("batch_preview", draft.pk)
    except UnreadableSheet as refusal:
        messages.error(request, str(refusal))
        return redirect("batch_new")
    context = {"draft": draft, "form": form, "why": str(question), "rows": preview.first_rows(question, draft.product)}
    return render(request, "recharge/batches/batch_columns.html", context)


@require_GET
@personal
@permission_required("recharge.add_batch", raise_exception=True)
def batch_lines(request: Request, draft_id: uuid.UUID, which: str, kind: str) -> HttpResponseBase:
    """Download the lines that can't be placed, to be corrected and uploaded again, or those that look suspicious."""
    draft = _draft(request, draft_id)
    if draft is None:
        return _gone(request, draft_id)
    reading = judging.reading_of(draft)
    if reading and not reading.judged_at:
        return redirect("batch_preview", draft.pk)
    header = [_("Line"), _("Reason"), *preview.titles(draft.product, chinese=_in_chinese())]
    rows = preview.rows(draft, bad=which == "bad")
    return export(f"{which}-lines", kind, header, rows, by=request.user)


def _show_upload(request: Request, form: UploadForm) -> HttpResponse:
    drafts = BatchDraft.objects.filter(uploaded_by=request.user, making=None).defer("content").order_by("-uploaded_at")
    context = {
        "form": form,
        "drafts": drafts[:DRAFTS_SHOWN],
        "most_rows": MAX_ROWS,
        "most_megabytes": MAX_FILE_BYTES // 1024 // 1024,
    }
    return render(request, "recharge/batches/batch_new.html", context)


def _numbers(draft: BatchDraft) -> dict[str, object]:
    """What is shown of asking the platform about a list's numbers."""
    check = number_checks.check_of(draft)
    asks = draft.product == Product.MOBILE and number_asking.is_on()
    return {"draft": draft, "check": check, "asks_numbers": asks}


def _show_reading(request: Request, draft: BatchDraft, reading: ListReading) -> HttpResponse:
    """Show how far a worker has got with a large list, or why it can't be read."""
    ahead = 0 if reading.problem else judging.ahead_of(reading)
    nobody = not ahead and (reading.lease_until or reading.asked_at + NOTICED_AFTER) < timezone.now()
    context = {"draft": draft, "reading": reading, "ahead": ahead, "nobody_reads_it": nobody}
    page, fragment = "recharge/batches/batch_reading.html", "recharge/batches/_reading.html"
    return render_live(request, page, fragment, context, polling=not reading.problem)


def _onward(request: Request, name: str, draft_id: uuid.UUID) -> HttpResponse:
    """Lead to another page of a draft, out of a page that keeps itself up to date, too."""
    return HttpResponseClientRedirect(reverse(name, args=[draft_id])) if request.htmx else redirect(name, draft_id)


def _table(seen: Preview) -> list[tuple[str, list[int], Totals]]:
    """Return for each carrier or issuer how many orders it gets of each value, and of all; most money first."""
    table = []
    for name, values in seen.groups.items():
        every = Totals()
        for totals in values.values():
            every.add(totals.orders, totals.money)
        table.append((name, [values[value].orders if value in values else 0 for value in seen.values], every))
    return sorted(table, key=lambda row: -row[2].money)


def _totals(seen: Preview) -> list[Totals]:
    """Return what is ordered of each value, and of all."""
    totals = [Totals() for _value in seen.values]
    for total, value in zip(totals, seen.values, strict=True):
        for values in seen.groups.values():
            if value in values:
                total.add(values[value].orders, values[value].money)
    return [*totals, seen.placeable]


def _button(seen: Preview) -> str:
    """Say what will happen."""
    orders, money = seen.placeable.orders, f"{seen.placeable.money:,}"
    if seen.needs_approval:
        words = ngettext(
            "Send %(orders)s order for ¥ %(money)s to approval",
            "Send %(orders)s orders for ¥ %(money)s to approval",
            orders,
        )
    else:
        words = ngettext("Place %(orders)s order for ¥ %(money)s", "Place %(orders)s orders for ¥ %(money)s", orders)
    return words % {"orders": f"{orders:,}", "money": money}


def _draft(request: Request, draft_id: uuid.UUID) -> BatchDraft | None:
    """Return the person's own upload; what others uploaded doesn't exist for them."""
    return BatchDraft.objects.filter(pk=draft_id, uploaded_by=request.user, making=None).first()


def _gone(request: Request, draft_id: uuid.UUID) -> HttpResponse:
    """Lead to the batch that the upload has become, however often its form is sent."""
    batch = Batch.objects.filter(nonce=draft_id, made_by=request.user).first()
    if batch:
        return redirect("batch_detail", batch.pk)
    return render(request, "recharge/batches/draft_unknown.html", status=404)


def _in_chinese() -> bool:
    return (get_language() or "").startswith("zh")
