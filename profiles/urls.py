"""Addresses about people and teams."""

from django.urls import path

from .views import invitations, notices, people, teams

urlpatterns = [
    path("settings/", people.account_settings, name="account_settings"),
    path("settings/tokens/", people.api_tokens, name="api_tokens"),
    path("settings/tokens/<uuid:public_id>/revoke/", people.revoke_token, name="api_token_revoke"),
    path("notices/", notices.notice_list, name="notices"),
    path("notices/seen/", notices.all_seen, name="notices_seen"),
    path("notices/<uuid:public_id>/seen/", notices.seen, name="notice_seen"),
    path("letters/off/<str:token>/", notices.letters_off, name="letters_off"),
    path("teams/", teams.team_list, name="teams"),
    path("teams/<slug:slug>/", teams.team_page, name="team"),
    path("teams/<slug:slug>/invitations/", invitations.invite, name="team_invite"),
    path(
        "teams/<slug:slug>/invitations/<uuid:public_id>/renew/",
        invitations.renew,
        name="team_invitation_renew",
    ),
    path(
        "teams/<slug:slug>/invitations/<uuid:public_id>/revoke/",
        invitations.revoke,
        name="team_invitation_revoke",
    ),
    path("invitations/<str:token>/", invitations.invitation, name="invitation"),
    path("teams/<slug:slug>/members/<uuid:public_id>/role/", teams.change_role, name="team_change_role"),
    path(
        "teams/<slug:slug>/members/<uuid:public_id>/remove/", teams.remove_member, name="team_remove_member"
    ),
    path("teams/<slug:slug>/settings/", teams.team_settings, name="team_settings"),
    path("teams/<slug:slug>/hand-over/", teams.hand_over, name="team_hand_over"),
    path("teams/<slug:slug>/leave/", teams.leave_team, name="team_leave"),
]
