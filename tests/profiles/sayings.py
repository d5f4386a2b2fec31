"""Words for tests of letters and notices: settings.TIDINGS may name these."""

from django.utils.translation import gettext as _

from profiles.models import Team
from profiles.tidings import Params, Words

TIDINGS = {"greeting": "tests.profiles.sayings.greeting", "urgent": "tests.profiles.sayings.urgent"}


def greeting(rows: list[Params]) -> list[Words | None]:
    teams = Team.objects.in_bulk([row["team"] for row in rows])
    return [_words(teams.get(row["team"]), is_urgent=False) for row in rows]


def urgent(rows: list[Params]) -> list[Words | None]:
    teams = Team.objects.in_bulk([row["team"] for row in rows])
    return [_words(teams.get(row["team"]), is_urgent=True) for row in rows]


def _words(team: Team | None, *, is_urgent: bool) -> Words | None:
    if team is None:
        return None
    return Words(
        f"{_('Teams')}: {team.name}",
        [f"The team {team.name} says hello."],
        [team.name],
        path=f"/teams/{team.slug}/",
        action=_("Settings"),
        why="You belong to it.",
        is_urgent=is_urgent,
    )
