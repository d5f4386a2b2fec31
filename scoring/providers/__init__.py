"""Who judges: the rows of the providers, their keys, and what is remembered of them.

Addresses are checked when connecting (`guarded_transport`), never when saving. A key is stored encrypted with
its owner inside, so that a row's key means nothing in another row, and is shown never again but for its end.
"""

from .choosing import (
    INSTANCE_NAME,
    LOCAL_NAME,
    SIMULATED_MODEL,
    add_for_team,
    instance_provider,
    local_for,
    local_provider,
    provider_of,
    provider_of_team,
)
from .endpoints import endpoint_of
from .health import (
    FAILURES_TO_OPEN,
    FIRST_PAUSE_SECONDS,
    LONGEST_PAUSE_SECONDS,
    learn,
    note_cap_ignored,
    note_failure,
    note_rubbish,
    note_success,
    pause,
    resume,
    stop,
)
from .keys import KeyUnreadable, key_of, set_key

__all__ = [
    "FAILURES_TO_OPEN",
    "FIRST_PAUSE_SECONDS",
    "INSTANCE_NAME",
    "LOCAL_NAME",
    "LONGEST_PAUSE_SECONDS",
    "SIMULATED_MODEL",
    "KeyUnreadable",
    "add_for_team",
    "endpoint_of",
    "instance_provider",
    "key_of",
    "learn",
    "local_for",
    "local_provider",
    "note_cap_ignored",
    "note_failure",
    "note_rubbish",
    "note_success",
    "pause",
    "provider_of",
    "provider_of_team",
    "resume",
    "set_key",
    "stop",
]
