"""Personas: who uses the portal, with what they may do."""

from django.contrib.auth.models import Group, User

GROUP_OF = {
    "clerk": "Operators",
    "approver": "Approvers",
    "auditor": "Auditors",
    "administrator": "Administrators",
    "outsider": None,
}


def person(name: str) -> User:
    """Return a user of the group that the persona belongs to; the outsider belongs to none."""
    user, _ = User.objects.get_or_create(username=name, defaults={"is_staff": name == "administrator"})
    if group := GROUP_OF[name]:
        user.groups.add(Group.objects.get(name=group))
    return user
