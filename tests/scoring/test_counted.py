"""What arXiv counted stands on a reader's day: like with like, live, and silent where arXiv said nothing."""

import datetime as dt

import pytest
from django.utils import timezone

from papers.models import Announcement, ArxivCount
from profiles.models import User
from scoring import editions, tick
from scoring.counted import counted_for
from scoring.models import Edition
from tests import factories

pytestmark = pytest.mark.django_db

DAY = factories.DAY
ADDRESS = f"/feed/{DAY}/"
NEW, CROSS = Announcement.Kind.NEW, Announcement.Kind.CROSS


def count(category: str, number: int, kind: str = NEW, source: str = "rss", *, is_cut: bool = False) -> None:
    ArxivCount.objects.update_or_create(
        category=category,
        day=DAY,
        kind=kind,
        source=source,
        defaults={"count": number, "is_cut": is_cut, "counted_at": timezone.now()},
    )


def a_day(client, *, cross_lists: bool = False, categories: tuple[str, ...] = ("cs.LG", "cs.CV")) -> Edition:
    """Three new papers in cs.LG, of which two stand in cs.CV as cross-lists too; and one new in cs.CV."""
    alice = factories.user("alice@example.org")
    client.force_login(alice)
    papers = factories.announced_papers(3)
    factories.announced_papers(1, category="cs.CV")
    for paper in papers[:2]:
        factories.announce(paper, day=DAY, category="cs.CV", kind=CROSS)
    reader = factories.profile(alice, categories=list(categories), cross_lists=cross_lists)
    return editions.open_edition(reader, DAY)


def said(client) -> str:
    text = client.get(ADDRESS).content.decode()
    _, _, after = text.partition('by-arxiv">')
    return " ".join(after.partition("</p>")[0].split())


def test_nothing_is_said_where_arxiv_gave_no_count(client):
    a_day(client)
    count("cs.LG", 3)  # of one category out of two
    tick.recount_due(timezone.now())

    assert "by-arxiv" not in client.get(ADDRESS).content.decode()
    assert "nothing can be compared" in client.get(f"{ADDRESS}?show=counted").content.decode()


def test_a_whole_day_says_so_and_links_to_the_comparison(client):
    a_day(client)
    count("cs.LG", 3)
    count("cs.CV", 1)
    tick.recount_due(timezone.now())

    assert "arXiv counted 4 new papers in these categories." in said(client)
    assert "All of them are here." in said(client)
    assert "show=counted" in said(client)
    assert "several" not in said(client)


def test_a_paper_in_two_followed_lists_is_two_entries_there_and_one_paper_here(client):
    edition = a_day(client, cross_lists=True)
    for category, kind, number in (("cs.LG", NEW, 3), ("cs.LG", CROSS, 0), ("cs.CV", NEW, 1)):
        count(category, number, kind)
    count("cs.CV", 2, CROSS)
    tick.recount_due(timezone.now())

    assert "have 6 entries. " in said(client)
    assert "All of them are here." in said(client)
    assert "one paper here" in said(client)
    edition.refresh_from_db()
    assert edition.account["announced"] == 4


def test_more_in_one_list_makes_up_for_nothing_in_another(client):
    edition = a_day(client)
    count("cs.LG", 2)
    count("cs.CV", 2)
    tick.recount_due(timezone.now())

    found = counted_for(edition)
    assert found is not None
    assert (found.counted, found.stored, found.missing) == (4, 4, 1)
    assert "1 of them is not here yet." in said(client)


def test_what_comes_later_is_said_without_a_word_from_the_reader(client):
    edition = a_day(client)
    count("cs.LG", 3)
    count("cs.CV", 2)
    now = timezone.now()
    assert tick.recount_due(now) == 1
    assert tick.recount_due(now) == 0  # a count is looked at once

    count("cs.CV", 3, source="listing")
    assert tick.recount_due(timezone.now()) == 1
    assert "arXiv counted 6 new papers" in said(client)

    factories.announced_papers(2, category="cs.CV")
    editions.reopen(edition, timezone.now())
    assert "All of them are here." in said(client)


def test_a_gap_that_is_filled_with_a_known_paper_is_said_too(client):
    """The paper stands in the day already by its other category: the list stays as it is, the count does not."""
    edition = a_day(client, cross_lists=True)
    for category, new, cross in (("cs.LG", 3, 1), ("cs.CV", 1, 2)):
        count(category, new)
        count(category, cross, CROSS)
    tick.recount_due(timezone.now())
    assert "1 of them is not here yet." in said(client)

    lonely = Announcement.objects.get(category="cs.CV", kind=NEW).paper
    factories.announce(lonely, day=DAY, category="cs.LG", kind=CROSS)
    assert editions.reopen(edition, timezone.now()) == 0

    assert "All of them are here." in said(client)


def test_a_feed_that_was_cut_counts_at_least(client):
    a_day(client, categories=("cs.LG",))
    count("cs.LG", 3, is_cut=True)
    tick.recount_due(timezone.now())

    assert "arXiv counted at least 3 new papers" in said(client)
    assert "All that it named are here." in said(client)
    assert "≥ 3" in client.get(f"{ADDRESS}?show=counted").content.decode()


def test_the_comparison_names_each_list(client):
    a_day(client, cross_lists=True)
    for category, new, cross in (("cs.LG", 3, 0), ("cs.CV", 2, 2)):
        count(category, new)
        count(category, cross, CROSS)

    page = client.get(f"{ADDRESS}?show=counted")

    rows = [
        (each.category, each.kind, each.counted, each.stored) for each in page.context["list"].counted.lists
    ]
    assert rows == [
        ("cs.LG", "new", 3, 3),
        ("cs.LG", "cross", 0, 0),
        ("cs.CV", "new", 2, 1),
        ("cs.CV", "cross", 2, 2),
    ]
    assert "asked for again by its id" in page.content.decode()


def test_the_page_says_it_without_a_query_more(client, django_assert_max_num_queries):
    a_day(client)
    count("cs.LG", 3)
    count("cs.CV", 1)
    tick.recount_due(timezone.now())

    with django_assert_max_num_queries(6):
        assert "All of them are here." in said(client)


def test_it_is_said_in_chinese(client):
    a_day(client)
    count("cs.LG", 3)
    count("cs.CV", 2)
    tick.recount_due(timezone.now())
    User.objects.update(language="zh-Hans")

    text = client.get(ADDRESS).content.decode()

    assert "据 arXiv 统计，这些分类共有 5 篇新论文。" in text
    assert "其中 1 条尚未收录。" in text


def test_an_account_of_before_says_nothing(client):
    edition = a_day(client)
    Edition.objects.filter(pk=edition.pk).update(account={"announced": 4, "arxiv_counted": 4})

    assert "by-arxiv" not in client.get(ADDRESS).content.decode()


def test_an_edition_of_another_day_is_left_alone(client):
    edition = a_day(client)
    count("cs.LG", 3)
    count("cs.CV", 1)
    ArxivCount.objects.update(day=DAY - dt.timedelta(days=1))

    assert tick.recount_due(timezone.now()) == 0
    edition.refresh_from_db()
    assert edition.account["arxiv_counted"] is None
