"""Whether a provider may be asked one call more now, whatever the call is about."""

import datetime as dt

from django.db.models import Q, QuerySet

from scoring import providers
from scoring.models import Call, Hold, Provider

# A question that a reader or an operator has left, and that nobody has sent yet, is not in flight.
_LEFT = Q(sent_at=None, call__kind__in=[Call.Kind.EXPLAIN, Call.Kind.CHECK])


def in_flight(provider: Provider) -> QuerySet[Hold]:
    return Hold.objects.open().filter(call__provider=provider).exclude(_LEFT)


def is_busy(provider: Provider) -> bool:
    """Whether it has as many calls in flight as it may; after a pause one goes ahead as a probe."""
    if provider.is_local:
        return False
    most = 1 if provider.failures >= providers.FAILURES_TO_OPEN else provider.calls_at_once
    return in_flight(provider).count() >= most


def may_probe(provider: Provider, now: dt.datetime) -> bool:
    """After a pause one call goes ahead, over all processes: who wants to be it looks again under the row's lock.

    Without the lock two processes would both find nothing in flight, and both ask. True for a provider that is well.
    Call it in a transaction.
    """
    if provider.failures < providers.FAILURES_TO_OPEN:
        return True
    locked = Provider.objects.select_for_update().usable(now).filter(pk=provider.pk).first()
    return locked is not None and not is_busy(locked)


def may_repeat(provider: Provider, now: dt.datetime) -> bool:
    """Whether a call that repeats another may be made: out of the retry budget, or as the probe after a pause."""
    is_probe = provider.failures >= providers.FAILURES_TO_OPEN
    return provider.is_local or is_probe or providers.may_repeat(provider, now)


def ready(provider_id: int | None, now: dt.datetime) -> Provider | None:
    """The provider, if it may be asked one call more now; call it in the transaction that takes the call."""
    provider = Provider.objects.usable(now).filter(pk=provider_id or 0).first()
    if provider is None or is_busy(provider) or not may_probe(provider, now):
        return None
    return provider


def ready_for_check(provider_id: int | None, now: dt.datetime) -> Provider | None:
    """As `ready`, but also one that is stopped or behind our breaker: whether it answers again is what is asked.

    A server that itself asked to wait is not asked before that.
    """
    provider = Provider.objects.select_for_update().filter(pk=provider_id or 0, is_active=True).first()
    if provider is None or is_busy(provider) or has_asked_to_wait(provider, now):
        return None
    return provider


def has_asked_to_wait(provider: Provider, now: dt.datetime) -> bool:
    """Whether the server itself has named a time (429) that is not over; a breaker of ours is no such wish."""
    is_open = provider.open_until is not None and provider.open_until > now
    return is_open and provider.failures < providers.FAILURES_TO_OPEN
