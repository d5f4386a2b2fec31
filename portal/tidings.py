"""What can be told to somebody, by notice or by letter: each code with the function that makes its words.

Facts only: `profiles.tidings` says how such a function looks, and a test resolves every one.
"""

TIDINGS: dict[str, str] = {
    "budget.asked": "scoring.asking_words.words_of_requests",
    "budget.decided": "scoring.asking_words.words_of_decisions",
    "budget.alert": "scoring.alerts.words_of_alerts",
    "budget.full_list": "scoring.alerts.words_of_lists",
    "provider.stopped": "scoring.providers.health.words_of_stops",
    "provider.repeats": "scoring.failing.words_of_repeats",
    "judge.drift": "scoring.watch.words_of_drifts",
    "invitation": "profiles.invitation_words.words_of_invitations",
}
