"""What a reader gets, by address."""

from django.urls import path

from papers import addresses
from scoring.views import downloads, feed, lists, marks, paper, quotas

addresses.register()

urlpatterns = [
    path("", feed.today, name="today"),
    path("feed/<day:day>/", feed.day, name="day"),
    path("feed/<day:day>/progress/", feed.progress, name="progress"),
    path("feed/<day:day>/read/", marks.read_all, name="read_all"),
    path("feed/<day:day>/report.<str:form>", downloads.report_of_day, name="report"),
    path("papers/<arxiv_id:arxiv_id>/", paper.paper, name="paper"),
    path("papers/<arxiv_id:arxiv_id>/marks/", marks.mark, name="mark"),
    path("papers/<arxiv_id:arxiv_id>/cite.<str:form>", downloads.cite, name="cite"),
    path("saved/", lists.saved, name="saved"),
    path("saved/papers.<str:form>", downloads.saved, name="saved_papers"),
    path("dismissed/", lists.dismissed, name="dismissed"),
    path("search/", lists.search, name="search"),
    path("budget/", quotas.budget_page, name="budget"),
    path("teams/<slug:slug>/quotas/", quotas.team_quotas, name="team_quotas"),
]
