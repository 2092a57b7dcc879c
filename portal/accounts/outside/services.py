"""Identities elsewhere: whose they are, and those that are nobody's yet."""

from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Now

from portal.accounts.models import MatchedIdentity, UnmatchedIdentity
from portal.accounts.services import end_sessions
from portal.kit import crypto
from portal.kit.audit import tell
from portal.kit.wording import person

from .exchange import Identity

MOST_UNMATCHED = 300
"""So many that are nobody's are kept; whoever was seen longest ago goes."""
CODE_DIGITS = 6


class TakenAlready(Exception):
    """An identity is somebody's already."""


def user_of(identity: Identity) -> User | None:
    """Return the person that an identity is matched with, whether he may sign in or not."""
    found = MatchedIdentity.objects.select_related("user").filter(provider=identity.source, uid=identity.key).first()
    return found.user if found else None


def note_unmatched(identity: Identity) -> None:
    """Remember that somebody came whose identity is nobody's, so that an administrator can match it."""
    key = {"source": identity.source, "key": identity.key}
    with transaction.atomic():
        row, is_new = UnmatchedIdentity.objects.get_or_create(**key, defaults={"name": identity.name})
        if not is_new:
            news = {"name": identity.name, "times": F("times") + 1, "last_seen": Now()}
            UnmatchedIdentity.objects.filter(pk=row.pk).update(**news)
            return
        kept = UnmatchedIdentity.objects.order_by("-last_seen", "-pk").values("pk")[:MOST_UNMATCHED]
        UnmatchedIdentity.objects.exclude(pk__in=list(kept.values_list("pk", flat=True))).delete()


def code_of(source: str, key: str) -> str:
    """Return the digits by which a person shows an administrator that an identity is his; the same each time.

    Anybody may call himself by another's name at a provider: the name alone shows nothing.
    """
    number = int(crypto.blind_index(f"{source} {key}", purpose="code of an identity"), 16)
    return f"{number % 10**CODE_DIGITS:0{CODE_DIGITS}}"


def match(user: User, *, source: str, key: str, name: str) -> None:
    """Let a person sign in by an identity, from now on, in the transaction of who decided it.

    Raises:
        TakenAlready: it is somebody's.
    """
    try:
        with transaction.atomic():
            SocialAccount.objects.create(user=user, provider=source, uid=key, extra_data={"name": name})
    except IntegrityError:
        raise TakenAlready from None
    UnmatchedIdentity.objects.filter(source=source, key=key).delete()


def unmatch(matched: MatchedIdentity, *, actor: User) -> None:
    """Let nobody sign in by an identity any more, and end the sign-ins of whom it was matched with."""
    user, source = matched.user, matched.provider
    with transaction.atomic():
        matched.delete()
        end_sessions(user)
        tell("IDENTITY_REMOVED", actor=actor, about=f"user:{user.pk}", way=source, note=person(user))
