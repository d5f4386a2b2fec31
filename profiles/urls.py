"""Addresses about people and teams."""

from django.urls import path

from . import views

urlpatterns = [
    path("settings/", views.account_settings, name="account_settings"),
    path("settings/tokens/", views.api_tokens, name="api_tokens"),
    path("settings/tokens/<uuid:public_id>/revoke/", views.revoke_token, name="api_token_revoke"),
    path("teams/", views.team_list, name="teams"),
    path("teams/<slug:slug>/", views.team_page, name="team"),
    path("teams/<slug:slug>/members/", views.add_member, name="team_add_member"),
    path("teams/<slug:slug>/members/<uuid:public_id>/role/", views.change_role, name="team_change_role"),
    path(
        "teams/<slug:slug>/members/<uuid:public_id>/remove/", views.remove_member, name="team_remove_member"
    ),
    path("teams/<slug:slug>/leave/", views.leave_team, name="team_leave"),
]
