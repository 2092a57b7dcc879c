"""Our own state of an order, how far we got in handing it over: which state may follow which. Pure data.

The platform's codes are in `status.py`. What is done at each step is in `fulfilment/services/transitions.py`.
"""

from recharge.choices import Submission

FOLLOWING: dict[Submission | None, frozenset[Submission]] = {
    None: frozenset({Submission.AWAITING_APPROVAL, Submission.QUEUED}),
    # UNKNOWN from a state in which nothing was sent: the platform spoke of it all the same, so it must not be sent.
    Submission.AWAITING_APPROVAL: frozenset({Submission.QUEUED, Submission.WITHDRAWN, Submission.UNKNOWN}),
    # Back to AWAITING_APPROVAL: a replacement whose original came alive is held back for a second person.
    Submission.QUEUED: frozenset(
        {Submission.SUBMITTING, Submission.WITHDRAWN, Submission.UNKNOWN, Submission.AWAITING_APPROVAL}
    ),
    # Back to QUEUED only where certainly no byte was sent.
    Submission.SUBMITTING: frozenset({Submission.ACCEPTED, Submission.REJECTED, Submission.UNKNOWN, Submission.QUEUED}),
    # To REJECTED only by words that were taught since, of an order of which nothing else was heard.
    Submission.UNKNOWN: frozenset({Submission.ACCEPTED, Submission.NOT_RECEIVED, Submission.REJECTED}),
    # What was held for dead lives, if the platform itself says so. UNKNOWN: its refusal was taught to be unclear.
    Submission.REJECTED: frozenset({Submission.ACCEPTED, Submission.UNKNOWN}),
    Submission.NOT_RECEIVED: frozenset({Submission.ACCEPTED}),
    Submission.WITHDRAWN: frozenset({Submission.ACCEPTED}),
    Submission.ACCEPTED: frozenset(),
}


def before(after: Submission) -> list[Submission]:
    """Return the states from which an order may come to be in this one."""
    return [state for state, following in FOLLOWING.items() if state is not None and after in following]
