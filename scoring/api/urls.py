"""Addresses of the API, version 1."""

from django.urls import path

from . import audit, budgets, editions, people, profiles, providers, spending

urlpatterns = [
    path("me/", profiles.Reader.as_view(), name="api_me"),
    path("profiles/", profiles.Profiles.as_view(), name="api_profiles"),
    path("profiles/<uuid:public_id>/", profiles.OneProfile.as_view(), name="api_profile"),
    path("profiles/<uuid:public_id>/fork/", profiles.Fork.as_view(), name="api_profile_fork"),
    path("editions/", editions.Editions.as_view(), name="api_editions"),
    path("editions/<uuid:public_id>/", editions.OneEdition.as_view(), name="api_edition"),
    path("editions/<uuid:public_id>/entries/", editions.Entries.as_view(), name="api_entries"),
    path("audit/", audit.OwnAudit.as_view(), name="api_audit"),
    path("teams/<slug:slug>/audit/", audit.TeamAudit.as_view(), name="api_team_audit"),
    path("budgets/", budgets.Budgets.as_view(), name="api_budgets"),
    path("spending/", spending.OwnSpending.as_view(), name="api_spending"),
    path("teams/<slug:slug>/spending/", spending.TeamSpending.as_view(), name="api_team_spending"),
    path("teams/", profiles.Teams.as_view(), name="api_teams"),
    path("teams/<slug:slug>/providers/", providers.TeamProviders.as_view(), name="api_team_providers"),
    path(
        "teams/<slug:slug>/providers/<uuid:public_id>/",
        providers.TeamProvider.as_view(),
        name="api_team_provider",
    ),
    path("teams/<slug:slug>/quotas/", budgets.TeamQuotas.as_view(), name="api_team_quotas"),
    path("teams/<slug:slug>/members/", people.Members.as_view(), name="api_members"),
    path("teams/<slug:slug>/members/<uuid:public_id>/", people.OneMember.as_view(), name="api_member"),
    path("teams/<slug:slug>/invitations/", people.Invitations.as_view(), name="api_invitations"),
    path(
        "teams/<slug:slug>/invitations/<uuid:public_id>/",
        people.OneInvitation.as_view(),
        name="api_invitation",
    ),
    path(
        "teams/<slug:slug>/invitations/<uuid:public_id>/renew/",
        people.RenewedInvitation.as_view(),
        name="api_invitation_renew",
    ),
]
