"""`python -m tests.browser.past_days DAYS`: what a team would have spent on the days before, by real holds and settles.

Run beside a demo, in its VAR_DIR: the clock is passed in, so that a month takes seconds. What was read on those
days is not made: each call is one that brought nothing, at its usual price.
"""

import datetime as dt
import os
import sys

import django


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    django.setup()
    from django.utils import timezone

    from profiles.models import Profile
    from scoring.models import Provider

    days, now = int(sys.argv[1]), timezone.now()
    judge = Provider.objects.exclude(base_url="").order_by("pk").first()
    assert judge is not None, "the demo has its simulated model"
    profiles = list(Profile.objects.filter(owner__isnull=False, team__is_personal=False).order_by("pk"))
    for number in range(days, 0, -1):
        for place, profile in enumerate(profiles):
            spend(
                profile, judge, 2_000 + 350 * ((number * (place + 3)) % 11), now - dt.timedelta(days=number)
            )


def spend(profile: "Profile", judge: "Provider", tokens: int, at: dt.datetime) -> None:  # noqa: F821
    from scoring import budget
    from scoring.models import Call
    from scoring.usage import Usage

    call = Call.objects.create(
        day=at.date(),
        profile=profile,
        provider_model=judge.provider_model,
        outcome="garbled",
        provider=judge,
        created_at=at,
    )
    held = budget.hold(call, tokens + 500, budget.legs_of(profile, judge), now=at)
    assert not isinstance(held, budget.Refusal), held
    assert budget.mark_sent(held, now=at)
    budget.settle(held, Usage(input_tokens=tokens - 200, output_tokens=200), now=at)


if __name__ == "__main__":
    main()
