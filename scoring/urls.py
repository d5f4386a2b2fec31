"""What a reader gets, by address."""

from django.urls import path

from papers import addresses
from scoring.views import (
    digest,
    downloads,
    feed,
    forks,
    lists,
    marks,
    paper,
    profiles,
    providers,
    quotas,
    reasons,
    spending,
    teams,
)

addresses.register()

urlpatterns = [
    path("", feed.today, name="today"),
    path("feed/<day:day>/", feed.day, name="day"),
    path("feed/<day:day>/progress/", feed.progress, name="progress"),
    path("feed/<day:day>/reading/", feed.reading, name="reading"),
    path("feed/<day:day>/read/", marks.read_all, name="read_all"),
    path("feed/<day:day>/report.<str:form>", downloads.report_of_day, name="report"),
    path("papers/<arxiv_id:arxiv_id>/", paper.paper, name="paper"),
    path("papers/<arxiv_id:arxiv_id>/marks/", marks.mark, name="mark"),
    path("papers/<arxiv_id:arxiv_id>/reason/", reasons.reason, name="reason"),
    path("papers/<arxiv_id:arxiv_id>/cite.<str:form>", downloads.cite, name="cite"),
    path("saved/", lists.saved, name="saved"),
    path("saved/papers.<str:form>", downloads.saved, name="saved_papers"),
    path("dismissed/", lists.dismissed, name="dismissed"),
    path("digest/off/<str:token>/", digest.digest_off, name="digest_off"),
    path("search/", lists.search, name="search"),
    path("budget/", quotas.budget_page, name="budget"),
    path("teams/<slug:slug>/quotas/", quotas.team_quotas, name="team_quotas"),
    path("teams/<slug:slug>/delete/", teams.team_delete, name="team_delete"),
    path("teams/<slug:slug>/spending/", spending.team_spending, name="team_spending"),
    path("teams/<slug:slug>/spending/spending.csv", spending.team_spending_file, name="team_spending_file"),
    path("operator/spending/", spending.operator_spending, name="operator_spending"),
    path("operator/spending/spending.csv", spending.operator_spending_file, name="operator_spending_file"),
    path("teams/<slug:slug>/providers/", providers.team_providers, name="team_providers"),
    path("teams/<slug:slug>/providers/new/", providers.team_provider_new, name="team_provider_new"),
    path("teams/<slug:slug>/providers/<uuid:public_id>/", providers.team_provider, name="team_provider"),
    path(
        "teams/<slug:slug>/providers/<uuid:public_id>/deed/",
        providers.team_provider_deed,
        name="team_provider_deed",
    ),
    path("operator/providers/", providers.operator_providers, name="operator_providers"),
    path("operator/providers/new/", providers.operator_provider_new, name="operator_provider_new"),
    path("operator/providers/<uuid:public_id>/", providers.operator_provider, name="operator_provider"),
    path(
        "operator/providers/<uuid:public_id>/deed/",
        providers.operator_provider_deed,
        name="operator_provider_deed",
    ),
    path("profiles/", profiles.profile_list, name="profiles"),
    path("profiles/new/", profiles.profile_new, name="profile_new"),
    path("profiles/import/", profiles.profile_import, name="profile_import"),
    path("profiles/<uuid:public_id>/", profiles.profile_edit, name="profile"),
    path("profiles/<uuid:public_id>/first/", profiles.profile_first, name="profile_first"),
    path("profiles/<uuid:public_id>/fork/", forks.profile_fork, name="profile_fork"),
    path("profiles/<uuid:public_id>/share/", forks.profile_share, name="profile_share"),
    path("profiles/<uuid:public_id>/pause/", profiles.profile_pause, name="profile_pause"),
    path("profiles/<uuid:public_id>/delete/", profiles.profile_delete, name="profile_delete"),
    path("profiles/<uuid:public_id>/profile.toml", profiles.profile_file, name="profile_file"),
]
