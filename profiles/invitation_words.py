"""What an invited person is told, by mail or in the app: who asks, to what, and until when."""

from collections.abc import Sequence

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from . import invitations
from .models import Invitation
from .tidings import Params, Words


def words_of_invitations(rows: Sequence[Params]) -> list[Words | None]:
    """The words of invitations (`settings.TIDINGS`); None for one that was used, taken back or renewed since."""
    found = {
        str(each.public_id): each
        for each in Invitation.objects.open()
        .filter(public_id__in=[row["invitation"] for row in rows])
        .select_related("team", "invited_by")
    }
    return [_words(row, found.get(row["invitation"])) for row in rows]


def _words(row: Params, invitation: Invitation | None) -> Words | None:
    if invitation is None or invitation.expires_at.isoformat() != row["ends"]:
        return None
    sender = invitation.invited_by
    who = sender.display_name if sender is not None else _("The operator")
    if invitation.team is not None:
        title = _("%(who)s invites you to %(team)s") % {"who": who, "team": invitation.team.name}
        first = _("You would belong to the team %(team)s on Broadsheet, as %(role)s.") % {
            "team": invitation.team.name,
            "role": invitation.get_role_display(),
        }
    else:
        title = _("%(who)s invites you to Broadsheet") % {"who": who}
        first = _("Broadsheet gives every researcher a daily paper of their own, from arXiv.")
    until = date_format(timezone.localtime(invitation.expires_at), "Y-m-d H:i")
    return Words(
        title,
        [
            first,
            _("The invitation is for %(email)s alone, works once and ends on %(at)s (%(zone)s).")
            % {"email": invitation.email, "at": until, "zone": timezone.get_current_timezone_name()},
        ],
        path=invitations.path_of(invitation),
        action=_("See the invitation"),
        why=_("You get this because somebody typed your address there. If you do not know them, do nothing."),
    )
