"""The pages of the portal, each with the person who sees it: what the suite checks and the camera shoots."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page

DAY = "/feed/2026-01-30/"
A_PROFILE = "main h2 a[href^='/profiles/']"
A_TEAM = "main a[href^='/teams/']:not(.banner a)"


@dataclass(frozen=True)
class Stop:
    """One page. Where its address is not known beforehand, `then` are the links to follow from `path`."""

    name: str
    person: str | None
    path: str
    then: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.name

    def reached_by(self, visit: Callable[..., Page], **window: Any) -> Page:
        page = visit(self.person, self.path, **window)
        for link in self.then:
            page.goto(page.locator(link).first.evaluate("link => link.href"))
        return page


STOPS = [
    Stop("sign-in", None, "/account/login/"),
    Stop("sign-up", None, "/account/signup/"),
    Stop("reset", None, "/account/password/reset/"),
    Stop("reset-sent", None, "/account/password/reset/done/"),
    Stop("locked", None, "/account/inactive/"),
    Stop("day", "researcher", DAY),
    Stop("day-student", "student", DAY),
    Stop("ranking", "researcher", f"{DAY}?view=ranking"),
    Stop("day-before", "researcher", "/feed/2026-01-29/"),
    Stop("weekend", "researcher", "/feed/2026-01-31/"),
    Stop("screened-out", "researcher", f"{DAY}?show=screened"),
    Stop("announced", "student", f"{DAY}?show=announced"),
    Stop("paper", "researcher", "/papers/2601.21821/"),
    Stop("paper-student", "student", "/papers/2601.22153/"),
    Stop("search", "researcher", "/search/?q=diffusion"),
    Stop("saved", "researcher", "/saved/"),
    Stop("dismissed", "researcher", "/dismissed/"),
    Stop("profiles", "researcher", "/profiles/"),
    Stop("profile", "researcher", "/profiles/", then=(A_PROFILE,)),
    Stop("share-profile", "student", "/profiles/", then=(A_PROFILE, "main a[href$='/share/']")),
    Stop("new-profile", "student", "/profiles/new/"),
    Stop("teams", "admin", "/teams/"),
    Stop("team", "admin", "/teams/", then=(A_TEAM,)),
    Stop("team-settings", "admin", "/teams/", then=(A_TEAM, "main a[href$='/settings/']")),
    Stop(
        "team-delete",
        "admin",
        "/teams/",
        then=(A_TEAM, "main a[href$='/settings/']", "main a[href$='/delete/']"),
    ),
    Stop("team-remove", "admin", "/teams/", then=(A_TEAM, "main a[href$='/remove/']")),
    Stop("team-leave", "admin", "/teams/", then=(A_TEAM, "main a[href$='/leave/']")),
    Stop("quotas", "admin", "/teams/", then=(A_TEAM, "main a[href$='/quotas/']")),
    Stop(
        "team-spending",
        "admin",
        "/teams/",
        then=(A_TEAM, "main a[href$='/quotas/']", "main a[href$='/spending/']"),
    ),
    Stop("team-audit", "admin", "/teams/", then=(A_TEAM, "main a[href$='/audit/']")),
    Stop("own-audit", "admin", "/settings/audit/"),
    Stop("models", "admin", "/teams/", then=(A_TEAM, "main a[href$='/providers/']")),
    Stop(
        "model-new",
        "admin",
        "/teams/",
        then=(A_TEAM, "main a[href$='/providers/']", "main a[href$='/providers/new/']"),
    ),
    Stop("budget", "student", "/budget/"),
    Stop("notices", "student", "/notices/"),
    Stop("settings", "student", "/settings/"),
    Stop("tokens", "student", "/settings/tokens/"),
    Stop("mail", "student", "/account/email/"),
    Stop("password", "student", "/account/password/change/"),
    Stop("second-factor", "student", "/account/2fa/"),
    Stop("sessions", "student", "/account/sessions/"),
    Stop("passkeys", "student", "/account/2fa/webauthn/"),
    Stop("is-it-you", "student", "/account/reauthenticate/"),
    Stop("connected", "student", "/account/3rdparty/"),
    Stop("day-late", "operator", "/"),
    Stop("day-counted", "operator", "/", then=(".by-arxiv a",)),
    Stop("day-parked", "operator", "/", then=(".account a[href$='show=parked']",)),
    Stop("harvest", "operator", "/operator/harvest/"),
    Stop("harvest-day", "operator", "/operator/harvest/", then=(".troubles a",)),
    Stop(
        "harvest-day-late",
        "operator",
        "/operator/harvest/",
        then=("[aria-labelledby=kept-back] li:last-child a",),
    ),
    Stop("harvest-day-surge", "operator", "/operator/harvest/", then=(".notice form a",)),
    Stop("quarantine", "operator", "/operator/quarantine/"),
    Stop("quarantined", "operator", "/operator/quarantine/", then=("table.records a",)),
    Stop("operator-spending", "operator", "/operator/spending/"),
    Stop("operator-models", "operator", "/operator/providers/"),
    Stop("operator-audit", "operator", "/operator/audit/"),
]
