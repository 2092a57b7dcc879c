"""Breaks one line of the money's path after the other in a copy, and sees whether the tests notice.

    .venv/bin/python -m tests.mutants [NAME ...]

Prints each mutant and how it fared, then the share that was killed; ends with status 1 where one survives.
"""

# ruff: noqa: E501  (the lines are as long as where they come from)

import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TESTS = [
    f"tests/integration/{room}/test_{name}.py"
    for room, names in {
        "fulfilment": ("never_received", "submission", "marks", "reports", "callback", "transitions"),
        "batches": ("making_batches", "making_in_pieces", "uploading_batches"),
        "orders": ("replacing", "replacing_before_refund", "placing", "recharging_oil_cards", "declaring"),
        "limits": ("accounts", "restoring", "limits", "outages"),
        "approvals": ("approving", "second_self"),
        "staff": ("second_administrator", "confirming_what_was_seen", "power_taken_away"),
        "teaching": ("teaching", "exact_words", "doubting", "taking_back"),
    }.items()
    for name in names
] + ["tests/unit/test_status.py", "tests/unit/gateway/test_heuristics.py"]
PATIENCE = 300.0


@dataclass(frozen=True)
class Mutant:
    """What is broken where: `line` becomes `broken`."""

    name: str
    path: str
    line: str
    broken: str


MUTANTS = (
    Mutant(
        "shown_life",
        "recharge/fulfilment/services/checking.py",
        "    if has_shown_life(order):\n        change.mark(MarkKind.UNEXPECTED)\n    elif control:",
        "    if control:",
    ),
    Mutant(
        "control_any",
        "recharge/fulfilment/services/checking.py",
        "return known if report.gateway_order_no == known.gateway_order_no else None",
        "return known",
    ),
    Mutant(
        "spacing",
        "recharge/fulfilment/services/checking.py",
        "if order.last_missing_at and now - order.last_missing_at < MISSING_SPACING:",
        "if False:",
    ),
    Mutant(
        "again_taken",
        "recharge/batches/services/assembling.py",
        "if rules.target(old) in taken or",
        "if",
    ),
    Mutant(
        "lease_two",
        "recharge/fulfilment/services/submission.py",
        "seconds=2 * settings.WIKEYUN_TIMEOUT",
        "seconds=settings.WIKEYUN_TIMEOUT",
    ),
    Mutant(
        "claim_where",
        "recharge/fulfilment/services/transitions.py",
        "Order.objects.filter(*claimable, pk=order_id, submission=Submission.QUEUED)",
        "Order.objects.filter(*claimable, pk=order_id)",
    ),
    Mutant(
        "accept_claims",
        "recharge/fulfilment/services/transitions.py",
        '{"submission": Submission.SUBMITTING, "claims": claimed.claims}',
        '{"submission": Submission.SUBMITTING}',
    ),
    Mutant(
        "chain",
        "recharge/fulfilment/services/transitions.py",
        "accounts.pushable(), ORIGINAL_DEAD)",
        "accounts.pushable())",
    ),
    Mutant(
        "proof_named",
        "recharge/fulfilment/services/transitions.py",
        "    Q(proof__isnull=False) & ~Exists",
        "    ~Exists",
    ),
    Mutant(
        "proof_of_all",
        "recharge/fulfilment/services/transitions.py",
        "Q(proof__isnull=False) & ~Exists(_OTHER_ATTEMPTS.exclude(PROVABLY_UNSPENT).exclude(CONFIRMED_FAILED))",
        "Q(proof__isnull=False)",
    ),
    Mutant(
        "proof_confirmed",
        "recharge/models/orders.py",
        "Q(doubts=0, failure_confirmed_at__isnull=False, status__in",
        "Q(doubts=0, status__in",
    ),
    Mutant(
        "proof_doubted",
        "recharge/models/orders.py",
        "Q(doubts=0, failure_confirmed_at__isnull=False, status__in",
        "Q(failure_confirmed_at__isnull=False, status__in",
    ),
    Mutant("proof_alone", "recharge/orders/services/placing.py", " or bool(replacing.proofs(order))", ""),
    Mutant(
        "proof_unread",
        "recharge/approvals/services.py",
        "if proven and proven[-1].event.pk != proof_seen:",
        "if False:",
    ),
    Mutant(
        "batch_before_refund",
        "recharge/batches/services/assembling.py",
        "Order.objects.filter(PROVABLY_UNSPENT, ORIGINAL_UNSPENT, sent,",
        "Order.objects.filter(sent,",
    ),
    Mutant("reachable", "recharge/fulfilment/services/transitions.py", "NOT_STOPPED, *reachable, ", "NOT_STOPPED, "),
    Mutant("held", "recharge/fulfilment/services/transitions.py", ", NOT_HELD)", ")"),
    Mutant(
        "outage_turn",
        "recharge/limits/services/outages.py",
        "turn = Outage.objects.filter(pk=outage.pk, on=True, next_order_at__lte=Now())",
        "turn = Outage.objects.filter(pk=outage.pk, on=True)",
    ),
    Mutant(
        "outage_probes",
        "recharge/limits/services/outages.py",
        "failed_probes__gte=FAILED_PROBES, ",
        "",
    ),
    Mutant(
        "outage_witness",
        "recharge/limits/services/outages.py",
        "later.exclude(verdict__in=UNANSWERED).exists()",
        "False",
    ),
    Mutant("guard", "recharge/fulfilment/services/transitions.py", "guard.open_for(generation), ", ""),
    Mutant("account", "recharge/fulfilment/services/transitions.py", "accounts.pushable(), ", ""),
    Mutant(
        "ack_doubt",
        "recharge/fulfilment/services/transitions.py",
        "        self.order.open_marks &= ~bits_of(kinds)\n        self._dealt_with",
        "        self.order.open_marks &= ~bits_of(kinds)\n"
        "        self.order.doubts &= ~bits_of(kinds)\n"
        "        self._dealt_with",
    ),
    Mutant("overtaken", "recharge/fulfilment/services/reports.py", "return order.heard != self.heard", "return False"),
    Mutant("part", "recharge/fulfilment/services/transitions.py", "self.order.part_arrived = True", "pass"),
    Mutant(
        "contradicts", "recharge/fulfilment/services/answers.py", "if _contradicts(claimed, receipt) or not", "if not"
    ),
    Mutant(
        "of_current",
        "recharge/fulfilment/services/checking.py",
        ".filter(accounts.of_current())\n    return handed",
        "\n    return handed",
    ),
    Mutant(
        "control_account",
        "recharge/fulfilment/services/checking.py",
        "confirmed.filter(accounts.of_current())",
        "confirmed",
    ),
    Mutant("late_needs_before", "recharge/fulfilment/services/reports.py", "if had_it_before.exists() and", "if"),
    Mutant(
        "refused_asked",
        "recharge/fulfilment/services/answers.py",
        "        order.next_check_at = timezone.now() + REFUSED_DELAY\n",
        "        order.next_check_at = None\n",
    ),
    Mutant(
        "doubt_all_dead",
        "recharge/fulfilment/services/transitions.py",
        '    doubted = doubtful.update(doubts=F("doubts").bitor(MARK_BITS[MarkKind.RESTORED]))\n',
        "    doubted = doubtful.count()\n",
    ),
    Mutant(
        "approve_chain",
        "recharge/approvals/services.py",
        "    if living := living_attempt(order, may_have_failed=True):\n        raise NotReplaceable(explain(living))\n",
        "",
    ),
    Mutant(
        "lease_look",
        "recharge/fulfilment/services/submission.py",
        ' or _leased_for_long(settings.WIKEYUN_TIMEOUT).number(order.pk, "claims") != order.claims',
        "",
    ),
    Mutant(
        "status_2_10",
        "recharge/status.py",
        "2: (frozenset({10}), frozenset({0, 1, 6, 7, 8, 12}))",
        "2: (frozenset(), frozenset({0, 1, 6, 7, 8, 10, 12}))",
    ),
    Mutant(
        "status_4_final",
        "recharge/status.py",
        "4: (frozenset(), frozenset({0, 3, 5, 9, 12}))",
        "4: (frozenset({2}), frozenset({0, 3, 5, 9, 12}))",
    ),
    Mutant(
        "first_hand_alone",
        "recharge/fulfilment/services/reports.py",
        "        if not first_hand:\n            return False\n    if not report.gateway",
        "    if not report.gateway",
    ),
    Mutant(
        "taken_by_report",
        "recharge/fulfilment/services/reports.py",
        "        change.mark(MarkKind.NUMBER_TAKEN)\n        return False\n",
        "        change.mark(MarkKind.NUMBER_TAKEN)\n",
    ),
    Mutant(
        "hold_back",
        "recharge/fulfilment/services/reports.py",
        "    change.lose()\n    change.mark(MarkKind.UNEXPECTED)\n",
        "    change.mark(MarkKind.UNEXPECTED)\n",
    ),
    Mutant(
        "another_value",
        "recharge/fulfilment/services/reports.py",
        "    if report.face_value is not None and report.face_value != order.face_value:\n        return True\n    return not",
        "    return not",
    ),
    Mutant("another_target", "recharge/fulfilment/services/reports.py", "        (report.mobile, order.mobile),\n", ""),
    Mutant(
        "another_card", "recharge/fulfilment/services/reports.py", "        (report.card_id, card_id(order)),\n", ""
    ),
    Mutant(
        "part_by_amount",
        "recharge/fulfilment/services/reports.py",
        "    if some or report.status == Status.PARTLY_ARRIVED:",
        "    if report.status == Status.PARTLY_ARRIVED:",
    ),
    Mutant(
        "confirmed_by_callback",
        "recharge/fulfilment/services/reports.py",
        "    if first_hand:\n        change.confirm()\n",
        "    if True:\n        change.confirm()\n",
    ),
    Mutant(
        "unreadable_queued",
        "recharge/fulfilment/services/reports.py",
        "        if order.submission in NOT_YET_SENT:\n            _hold_back(change)\n        elif",
        "        if",
    ),
    Mutant(
        "receipt_value",
        "recharge/fulfilment/services/answers.py",
        "    return receipt.face_value is not None and receipt.face_value != order.face_value",
        "    return False",
    ),
    Mutant(
        "receipt_target", "recharge/fulfilment/services/answers.py", "        (receipt.mobile, order.mobile),\n", ""
    ),
    Mutant(
        "requeued_by_older",
        "recharge/fulfilment/services/answers.py",
        "order.submission == Submission.SUBMITTING and order.claims == claims:",
        "order.submission == Submission.SUBMITTING:",
    ),
    Mutant(
        "requeued_alive",
        "recharge/fulfilment/services/answers.py",
        '        if change.is_marked(*SIGNS_OF_LIFE):\n            return _outcome_unknown(change, str(error), "")  # the platform spoke of it: sending might spend twice\n',
        "",
    ),
    Mutant(
        "rejected_alive",
        "recharge/fulfilment/services/answers.py",
        "        if change.is_marked(*SIGNS_OF_LIFE):\n            return _outcome_unknown(change, error.raw, note)  # the platform spoke of it: one of the two is wrong\n",
        "",
    ),
    Mutant(
        "late_answer",
        "recharge/fulfilment/services/answers.py",
        "    if order.submission in NOT_YET_SENT:\n        change.lose()  # the answer to a claim that was given up: it was sent all the same\n",
        '    if order.submission in NOT_YET_SENT:\n        return Verdict.CONFLICT, receipt.raw, ""\n',
    ),
    Mutant(
        "number_taken",
        "recharge/fulfilment/services/answers.py",
        "    change.mark(MarkKind.NUMBER_TAKEN)\n    _make_unknown(change)\n",
        "    change.mark(MarkKind.NUMBER_TAKEN)\n",
    ),
    Mutant(
        "no_control",
        "recharge/fulfilment/services/checking.py",
        "    elif control:\n        change.void()",
        "    else:\n        change.void()",
    ),
    Mutant(
        "no_query_spacing",
        "recharge/fulfilment/services/checking.py",
        "        if moments[-1] - event.at >= MISSING_SPACING:\n            moments.append(event.at)",
        "        moments.append(event.at)",
    ),
    Mutant(
        "limit_ignored",
        "recharge/limits/services/spending.py",
        "within = Q(amount__lte=limit - amount) if limit else Q()",
        "within = Q()",
    ),
    Mutant(
        "limit_of_person",
        "recharge/limits/services/spending.py",
        "    _raise(day, person, amount, settings.DAILY_LIMIT_PER_PERSON)\n",
        "    _raise(day, person, amount, 0)\n",
    ),
    Mutant(
        "not_counted_again",
        "recharge/limits/services/spending.py",
        "    elif counts and was in DEAD_SUBMISSIONS:",
        "    elif False:",
    ),
    Mutant(
        "not_uncounted",
        "recharge/limits/services/spending.py",
        "    if counted and not counts:\n        uncount(",
        "    if False:\n        uncount(",
    ),
    Mutant(
        "duplicate_window",
        "recharge/limits/services/rules.py",
        "lately = Q(placed_at__gte=day_ago) | Q(submitted_at__gte=day_ago) | Q(settled_at=None)",
        "lately = Q(placed_at__gte=day_ago)",
    ),
    Mutant(
        "duplicate_since", "recharge/limits/services/rules.py", "        lately |= Q(pk__gt=since)\n", "        pass\n"
    ),
    Mutant(
        "reason_for_any",
        "recharge/orders/services/placing.py",
        '    if earlier and not (order.duplicate_reason and known in ("", earlier.order_no)):',
        "    if earlier and not order.duplicate_reason:",
    ),
    Mutant(
        "same_form",
        "recharge/orders/services/placing.py",
        "    if any(getattr(earlier, name) != getattr(order, name) for name in contents):\n        raise FormAlreadyUsed(earlier)\n",
        "",
    ),
    Mutant(
        "replaced_alive",
        "recharge/orders/services/placing.py",
        '    if not (current.is_provably_unspent or current.is_confirmed_failed):\n        raise NotReplaceable(_("It is not proven that no money was spent on this order."))\n',
        "",
    ),
    Mutant(
        "replaced_chain",
        "recharge/orders/services/placing.py",
        "    if living := living_attempt(current, may_have_failed=True):\n        raise NotReplaceable(explain(living))\n",
        "",
    ),
    Mutant(
        "replaced_twice",
        "recharge/orders/services/placing.py",
        '    if Order.objects.filter(replaces=current).exists():\n        raise NotReplaceable(_("This order has been replaced already."))\n',
        "",
    ),
    Mutant(
        "replaced_by_more",
        "recharge/orders/services/placing.py",
        '("mobile", "oil_card_id", "face_value")):\n        raise Not',
        '("mobile", "oil_card_id")):\n        raise Not',
    ),
    Mutant(
        "approves_own",
        "recharge/approvals/services.py",
        "    if own.pk == actor.pk:\n        raise NotYours(words)\n",
        "",
    ),
    Mutant(
        "approves_own_batch",
        "recharge/approvals/services.py",
        "    require_decider(batch, actor)\n",
        "",
    ),
    Mutant(
        "approves_second_self",
        "recharge/approvals/services.py",
        "    approval.require_another(own, actor)\n",
        "",
    ),
    Mutant(
        "approves_unasked",
        "recharge/approvals/services.py",
        "    require_decider(order, actor)\n",
        "",
    ),
    Mutant(
        "declared_by_second_self",
        "recharge/orders/services/declaring.py",
        "    approval.require_another(declaration.declared_by, actor)\n",
        "",
    ),
    Mutant(
        "power_at_once",
        "recharge/staff/services/powers.py",
        "    wish.groups = [group for group in wish.groups if group not in groups]\n",
        "",
    ),
    Mutant(
        "confirmed_unsound",
        "recharge/staff/services/changes.py",
        "        _require_still_sound(change)\n",
        "",
    ),
    Mutant(
        "confirmed_unseen",
        "recharge/staff/services/changes.py",
        "    shown += [concerned.standing(change), concerned.sign_ins(change)]\n",
        "",
    ),
    Mutant(
        "confirmed_by_second_self",
        "recharge/staff/services/changes.py",
        "[change.asked_by, *concerned.who_gains(change)]",
        "[change.asked_by]",
    ),
    Mutant(
        "joined_unseen",
        "recharge/staff/services/powers.py",
        "give_power(_rights_soon([group]))]",
        "give_power(rights_of_groups([group]))]",
    ),
    Mutant(
        "power_for_a_moment",
        "recharge/staff/services/powers.py",
        " or about.exists() or _has_lost_power(user)",
        " or about.exists()",
    ),
    Mutant(
        "second_self_by_change",
        "recharge/limits/services/approval.py",
        "about.filter(lately | Q(pk__in=last), ",
        "about.filter(Q(pk__in=last), ",
    ),
    Mutant(
        "approved_uncounted",
        "recharge/approvals/services.py",
        "        day = spending.count(person=batch.made_by, amount=total)\n",
        "        day = transitions.timezone.localdate()\n",
    ),
    Mutant(
        "batch_hold",
        "recharge/approvals/services.py",
        "        hold_all_with_living_original(Order.objects.filter(batch=batch))\n",
        "",
    ),
    Mutant(
        "same_draft",
        "recharge/batches/services/making.py",
        "    return Batch.objects.filter(nonce=draft.pk).first()\n",
        "    return None\n",
    ),
    Mutant(
        "same_file",
        "recharge/batches/services/making.py",
        "    if batches_of_same_file(draft) and not said.reason:",
        "    if False:",
    ),
    Mutant(
        "list_as_shown",
        "recharge/batches/services/making.py",
        "    if said.shown and said.shown != Shown(judged.orders, judged.money, judged.digest):\n        raise Outdated\n",
        "",
    ),
    Mutant(
        "failed_as_seen",
        "recharge/batches/services/making.py",
        '        if (found["orders"], found["money"] or 0) != (orders_seen, money_seen):\n            raise Outdated\n',
        "",
    ),
    Mutant(
        "larger_than_shown",
        "recharge/batches/services/assembling.py",
        "    if making.orders + len(orders) > batch.size or making.money + money > batch.total:\n",
        "    if False:\n",
    ),
    Mutant(
        "bad_when_shown",
        "recharge/batches/services/assembling.py",
        "all_lines(making.draft, find_others=False, bad=set(making.bad))",
        "all_lines(making.draft, find_others=False)",
    ),
    Mutant(
        "failed_since",
        "recharge/batches/services/assembling.py",
        "        if len(chosen) == room or old.face_value > money:\n            continue\n",
        "",
    ),
    Mutant(
        "again_later",
        "recharge/batches/services/assembling.py",
        " or (latest and latest.pk > old.pk)",
        "",
    ),
    Mutant(
        "approval_in_pieces",
        "recharge/batches/services/assembling.py",
        "    if not making.awaits_approval:\n        submission, due = Submission.QUEUED",
        "    if True:\n        submission, due = Submission.QUEUED",
    ),
    Mutant(
        "bad_lines",
        "recharge/batches/services/making.py",
        "            if not said.leave_out_bad:\n                raise BadLines",
        "            if False:\n                raise BadLines",
    ),
    Mutant(
        "card_deleted_since",
        "recharge/batches/services/assembling.py",
        "    if lock_all_for_recharge(cards) != cards:",
        "    if False:",
    ),
    Mutant(
        "expired_to_queue",
        "recharge/fulfilment/services/transitions.py",
        "expired.update(submission=Submission.UNKNOWN, lease_until=None, next_check_at=Now(), asked_at=None, checks=0)",
        "expired.update(submission=Submission.QUEUED, lease_until=None, next_push_at=Now(), asked_at=None, checks=0)",
    ),
    Mutant(
        "steps_free",
        "recharge/fulfilment/services/transitions.py",
        '        if after not in FOLLOWING[Submission(now)]:\n            raise IllegalTransition(f"{now} to {after}")\n',
        "",
    ),
    Mutant(
        "doubts_none",
        "recharge/fulfilment/services/transitions.py",
        "            self.order.doubts |= bit\n",
        "            pass\n",
    ),
    Mutant(
        "card_in_doubt",
        "recharge/fulfilment/services/submission.py",
        "order.oil_card_id is not None and not may_be_recharged(card_id=order.oil_card_id)",
        "False",
    ),
    Mutant(
        "another_day",
        "recharge/fulfilment/services/transitions.py",
        "        if order.submission == Submission.AWAITING_APPROVAL:\n            order.counted_on = None\n",
        "",
    ),
    Mutant(
        "definite",
        "recharge/fulfilment/services/answers.py",
        "    if not readings.in_force().is_definite_no(error):",
        "    if False:",
    ),
    Mutant(
        "duplicate_refusal",
        "portal/gateway/heuristics.py",
        "    if may_mean_duplicate(rejected) or _UNCLEAR.search(message):",
        "    if _UNCLEAR.search(message):",
    ),
    Mutant(
        "unclear_refusal",
        "portal/gateway/heuristics.py",
        "    if may_mean_duplicate(rejected) or _UNCLEAR.search(message):",
        "    if may_mean_duplicate(rejected):",
    ),
    Mutant(
        "missing_for",
        "recharge/fulfilment/services/checking.py",
        "MISSING_FOR = dt.timedelta(minutes=30)",
        "MISSING_FOR = dt.timedelta(minutes=3)",
    ),
    Mutant("missing_answers", "recharge/fulfilment/services/checking.py", "MISSING_ANSWERS = 3", "MISSING_ANSWERS = 2"),
    Mutant(
        "status_unknown",
        "recharge/status.py",
        "    if reported not in Status.values:\n        return CodeVerdict.UNKNOWN_CODE\n",
        "    if reported not in Status.values:\n        return CodeVerdict.STALE\n",
    ),
    Mutant(
        "needs_approval",
        "recharge/limits/services/approval.py",
        "return 0 < settings.APPROVAL_ABOVE < yuan",
        "return 0 < settings.APPROVAL_ABOVE < yuan - 500",
    ),
    Mutant(
        "taught_life", "recharge/fulfilment/services/replaying.py", "or _tells_of_life(order, events):", "or False:"
    ),
    Mutant(
        "taught_late",
        "recharge/fulfilment/services/replaying.py",
        "in_time = answers[0].submission_from == Submission.SUBMITTING and ",
        "in_time = ",
    ),
    Mutant("taught_older", "recharge/fulfilment/services/replaying.py", " and not told_since else", " else"),
    Mutant(
        "taught_placed_again",
        "recharge/fulfilment/services/replaying.py",
        "return Outcome.LEFT if found in (Outcome.DOUBTED, Outcome.UNFOUNDED) and placed_again else found",
        "return found",
    ),
    Mutant(
        "taught_waiting",
        "recharge/models/orders.py",
        "later.exclude(submission__in=NOT_HANDED_OVER).exclude(PROVABLY_UNSPENT).exclude(CONFIRMED_FAILED)",
        "later.exclude(claims=0)",
    ),
    Mutant(
        "untaught_doubt",
        "recharge/fulfilment/services/transitions.py",
        "        self.mark(kind)\n        self.order.doubts |= MARK_BITS[kind]\n",
        "        self.mark(kind)\n",
    ),
    Mutant(
        "untaught_confirmed",
        "recharge/fulfilment/services/replaying.py",
        "if confirming and confirming[-1].reported_status == reading.code:",
        "if False:",
    ),
    Mutant(
        "untaught_unseen",
        "recharge/teaching/services/lessons.py",
        "effect_of_removal(Reading.objects.get(pk=reading_id)).changing > orders_seen",
        "False",
    ),
    Mutant(
        "taught_duplicate",
        "recharge/readings/services.py",
        "DEFINITE_NO:\n            return not heuristics.may_mean_duplicate(rejected)",
        "DEFINITE_NO:\n            return True",
    ),
    Mutant(
        "taught_precedence",
        "recharge/readings/services.py",
        "return not taught and heuristics.is_definite_no",
        "return heuristics.is_definite_no",
    ),
    Mutant("taught_number", "recharge/readings/services.py", """    |\\d{7,}\"\"\",""", """    |\\d+\"\"\","""),
    Mutant(
        "taught_code",
        "recharge/readings/services.py",
        'codes = {reading.refusal_code, ""} if reading.is_harmless else {reading.refusal_code}',
        'codes = {reading.refusal_code, ""}',
    ),
    Mutant("taught_any_number", "recharge/models/readings.py", "return self.exact or ", "return True or "),
    Mutant(
        "taught_of_another_code",
        "recharge/fulfilment/services/replaying.py",
        "if taught.is_definite_no(readings.refusal_of(answers[-1].note)):",
        "if False:",
    ),
    Mutant("taught_alone", "recharge/teaching/services/lessons.py", "if asked_by.pk == actor.pk:", "if False:"),
    Mutant(
        "taught_second_self",
        "recharge/teaching/services/lessons.py",
        "    require_another(asked_by, actor)\n",
        "",
    ),
    Mutant(
        "taught_dead_later",
        "recharge/fulfilment/services/transitions.py",
        "if order.first_attempt_id and is_dead and not self._was_dead:",
        "if False:",
    ),
    Mutant(
        "taught_failed_later",
        "recharge/fulfilment/services/transitions.py",
        "        is_dead = order.is_provably_unspent or order.is_confirmed_failed\n",
        "        is_dead = order.is_provably_unspent\n",
    ),
    Mutant(
        "replaced_while_read_anew",
        "recharge/orders/services/placing.py",
        "    if replaying.is_to_be_read(Order.objects.in_chain_of(current)):\n",
        "    if False:\n",
    ),
    Mutant(
        "taught_passed_over",
        "recharge/teaching/services/applying.py",
        "_unchanged(reading).filter(rounds=reading.rounds, applied_to=reading.applied_to)",
        "_unchanged(reading)",
    ),
    Mutant(
        "taught_unseen",
        "recharge/teaching/services/lessons.py",
        "effect_of(Reading.objects.get(pk=reading_id)).changing > orders_seen",
        "False",
    ),
    Mutant(
        "settled_by_earlier",
        "recharge/fulfilment/services/transitions.py",
        "        if any(kind in LEAVING_DOUBTS for kind in kinds):\n            self._hear()\n",
        "",
    ),
    Mutant(
        "settled_unseen",
        "recharge/fulfilment/services/transitions.py",
        "            if self.order.doubts & MARK_BITS[kind] and not self.is_marked(kind):",
        "            if self.order.doubts & MARK_BITS[kind]:",
    ),
)


def main() -> None:
    chosen = [mutant for mutant in MUTANTS if not sys.argv[1:] or mutant.name in sys.argv[1:]]
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy"
        shutil.copytree(ROOT, copy, symlinks=True, ignore=shutil.ignore_patterns(".venv", "node_modules", ".git"))
        if not passes(copy):
            sys.exit("The tests fail with nothing broken.")
        survivors = [mutant.name for mutant in chosen if not is_killed(mutant, copy)]
    print(f"{len(chosen) - len(survivors)} of {len(chosen)} killed")
    sys.exit(1 if survivors else 0)


def is_killed(mutant: Mutant, copy: Path) -> bool:
    """Break the line, run the tests, and mend it again."""
    path = copy / mutant.path
    sound = path.read_text(encoding="utf-8")
    if sound.count(mutant.line) != 1:
        sys.exit(f"{mutant.name}: the line stands {sound.count(mutant.line)} times in {mutant.path}")
    path.write_text(sound.replace(mutant.line, mutant.broken), encoding="utf-8")
    try:
        killed = not passes(copy)
    finally:
        path.write_text(sound, encoding="utf-8")
    print(f"{'killed' if killed else 'SURVIVED'}  {mutant.name}", flush=True)
    return killed


def passes(copy: Path) -> bool:
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *TESTS]
    return subprocess.run(command, cwd=copy, capture_output=True, timeout=PATIENCE, check=False).returncode == 0


if __name__ == "__main__":
    main()
