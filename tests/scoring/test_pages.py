"""The pages of a reader: queries, links behind every number, empty days, marks with undo, payloads."""

import datetime as dt
import html
import re

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from papers.models import Announcement
from profiles import marks
from profiles.models import Mark, Scope, Vote
from scoring.models import BudgetWindow, Candidate, Edition
from scoring.packed import Code
from tests import factories

pytestmark = pytest.mark.django_db
ADDRESS = "/feed/2026-01-30/"
PAYLOAD = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)> \\href{javascript:alert(1)}{x}"


def a_day(client, **fields):
    alice = factories.user("alice@example.org")
    edition = factories.edition(factories.profile(alice, interests=("graphs", "agents")), **fields)
    client.force_login(alice)
    return alice, edition


def a_full_day(client):
    """A paper in every state that an account has a term for."""
    alice, edition = a_day(client, state=Edition.State.SCREENED)
    factories.judged(edition, factories.paper(), [90, 20])
    factories.judged(edition, factories.paper(), [30, 20])
    factories.judged(edition, factories.paper(), [70, 0], by=factories.provider())
    for reason in Candidate.Waits.values:
        factories.waiting(edition, factories.paper(), reason)
    factories.candidate(edition, factories.paper(), Candidate.State.FAILED, Code.FAILED, failure="garbled")
    for code in (Code.SCREENED, Code.WITHDRAWN, Code.SEEN, Code.PARKED, Code.EXPIRED, Code.IN_WORK):
        factories.listed(edition, factories.paper(), code)
    gone = factories.judged(edition, factories.paper(), [88, 0]).paper
    marks.set_mark(alice, gone, Mark.Kind.DISMISSED)
    return alice, edition


def test_a_page_of_many_papers_takes_six_queries_in_all(client, django_assert_max_num_queries):
    _, edition = a_day(client)
    judge = factories.provider("http://127.0.0.1:1/v1")
    for number in range(60):
        factories.judged(edition, factories.paper(), [60 + number % 40, 30], by=judge)

    with django_assert_max_num_queries(6):
        response = client.get(ADDRESS)

    assert response.content.count(b"data-paper=") == 20


def test_the_list_behind_a_number_stands_by_value_and_then_by_estimate(client):
    _, edition = a_day(client)
    judge = factories.provider("http://127.0.0.1:1/v1")
    low, high = (factories.judged(edition, factories.paper(), [n, 0], by=judge).paper for n in (30, 90))
    unread = factories.listed(edition, factories.paper(), Code.SCREENED, estimate=9_900)

    rows = client.get(f"{ADDRESS}?show=announced").context["list"].rows

    assert [row.paper for row in rows] == [high, low, unread]


def test_what_was_set_aside_unestimated_shows_no_number(client):
    _, edition = a_day(client)
    for code in (Code.PARKED, Code.SEEN, Code.WITHDRAWN):
        factories.listed(edition, factories.paper(), code, estimate=0)

    rows = client.get(f"{ADDRESS}?show=announced").context["list"].rows

    assert [(row.value, row.is_estimate) for row in rows] == [("–", False)] * 3


def test_every_number_of_the_account_opens_the_list_behind_it(client):
    a_full_day(client)
    page = client.get(ADDRESS).content.decode()
    links = re.findall(r'<a href="([^"]+)"[^>]*><b>([\d,]+)</b>', page)

    keys = set()
    for address, number in links:
        address = html.unescape(address)
        key = address.partition("show=")[2]
        answer = client.get(address)
        assert answer.status_code == 200
        if key and key != "tokens":
            assert answer.context["list"].count == int(number), key
            assert len(answer.context["list"].rows) == int(number), key
        keys.add(key)
    assert keys >= {
        "announced",
        "judged",
        "estimated",
        "screened",
        "failed",
        "withdrawn",
        "seen",
        "parked",
        "expired",
    }
    assert keys >= {
        "waiting_turn",
        "waiting_budget",
        "waiting_provider",
        "waiting_late",
        "in_work",
        "below",
        "tokens",
    }


def test_the_terms_add_up_to_what_was_announced(client):
    a_full_day(client)

    tally = client.get(ADDRESS).context["tally"]

    assert tally.announced == sum(term.count for term in tally.terms) == 15
    assert tally.lost == 0


def test_an_unknown_list_is_a_404(client):
    a_day(client)

    assert client.get(ADDRESS + "?show=secrets").status_code == 404


@pytest.mark.parametrize(
    "address", [ADDRESS, "/", "/saved/", "/dismissed/", "/search/", "/papers/2601.00001/"]
)
def test_a_stranger_is_asked_to_log_in(client, address):
    factories.paper("2601.00001")

    assert client.get(address).status_code == 302


def test_charlie_finds_nothing_of_alices(client):
    _, edition = a_day(client)
    paper = factories.judged(edition, factories.paper("2601.00001"), [90, 0], reason="For Alice alone.").paper
    client.force_login(factories.user("charlie@example.org"))
    hers = f"?profile={edition.profile.public_id}"

    for address in (ADDRESS + hers, f"/{hers}", f"{ADDRESS}progress/{hers}", f"{ADDRESS}report.md{hers}"):
        assert client.get(address).status_code == 404, address
    assert client.post(f"{ADDRESS}read/", {"profile": edition.profile.public_id}).status_code == 404
    posted = {"do": "up", "edition": edition.public_id}
    assert client.post(reverse("mark", args=[paper.arxiv_id]), posted).status_code == 404
    assert b"For Alice alone" not in client.get(f"/papers/{paper.arxiv_id}/{hers}").content
    assert not Vote.objects.exists()


# --- marks and their undo ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("do", "undo", "kind"),
    [("save", "unsave", "saved"), ("dismiss", "restore", "dismissed"), ("read", "unread", "read")],
)
def test_a_mark_comes_with_its_undo(client, do, undo, kind):
    alice, edition = a_day(client)
    paper = factories.judged(edition, factories.paper(), [90, 0]).paper
    address = reverse("mark", args=[paper.arxiv_id])
    marked = client.post(address, {"do": do, "edition": edition.public_id}, headers={"HX-Request": "true"})

    assert f'value="{undo}"'.encode() in marked.content
    assert Mark.objects.of(alice).filter(kind=kind).exists()
    client.post(address, {"do": do, "edition": edition.public_id}, headers={"HX-Request": "true"})
    client.post(address, {"do": undo, "edition": edition.public_id}, headers={"HX-Request": "true"})
    assert not Mark.objects.exists()


def test_without_javascript_a_mark_goes_back_to_its_page(client):
    _, edition = a_day(client)
    paper = factories.judged(edition, factories.paper(), [90, 0]).paper

    answer = client.post(
        reverse("mark", args=[paper.arxiv_id]),
        {"do": "save", "edition": edition.public_id, "next": ADDRESS},
    )

    assert answer["Location"] == ADDRESS
    assert b"Saved." in client.get(ADDRESS).content


def test_the_way_back_leads_nowhere_else(client):
    paper = factories.judged(a_day(client)[1], factories.paper(), [90, 0]).paper

    for address in ("https://evil.example/", "//evil.example", "javascript:alert(1)"):
        answer = client.post(reverse("mark", args=[paper.arxiv_id]), {"do": "save", "next": address})
        assert answer["Location"] == "/"


def test_a_vote_is_undone_to_the_vote_before(client):
    alice, edition = a_day(client)
    paper = factories.judged(edition, factories.paper(), [90, 0]).paper
    marks.vote(alice, edition.profile, paper, 1)

    answer = client.post(
        reverse("mark", args=[paper.arxiv_id]),
        {"do": "down", "edition": edition.public_id},
        headers={"HX-Request": "true"},
    )

    assert b'name="do" value="up"' in answer.content
    assert marks.vote_of(alice, edition.profile, paper) == -1


def test_an_unknown_deed_changes_nothing(client):
    paper = factories.judged(a_day(client)[1], factories.paper(), [90, 0]).paper

    assert client.post(reverse("mark", args=[paper.arxiv_id]), {"do": "explode"}).status_code == 400
    assert not Mark.objects.exists()


def test_all_read_is_undone_exactly(client):
    alice, edition = a_day(client)
    before = factories.judged(edition, factories.paper(), [90, 0]).paper
    factories.judged(edition, factories.paper(), [80, 0])
    marks.set_mark(alice, before, Mark.Kind.READ)
    answer = client.post(f"{ADDRESS}read/", {"profile": edition.profile.public_id})

    assert Mark.objects.of(alice).filter(kind="read").count() == 2
    undo_at = client.get(answer["Location"]).context["undo_at"]
    client.post(f"{ADDRESS}read/", {"profile": edition.profile.public_id, "undo": undo_at})
    assert list(Mark.objects.of(alice).values_list("paper", flat=True)) == [before.pk]


@pytest.mark.parametrize("undo", ["2026-13-45T00:00:00Z", "x", "2026-01-30", "<script>"])
def test_an_undo_that_is_no_instant_undoes_nothing(client, undo):
    alice, edition = a_day(client)
    marks.set_mark(alice, factories.judged(edition, factories.paper(), [90, 0]).paper, Mark.Kind.READ)
    factories.judged(edition, factories.paper(), [80, 0])

    answer = client.post(f"{ADDRESS}read/", {"profile": edition.profile.public_id, "undo": undo})

    assert answer.status_code == 400
    assert Mark.objects.of(alice).filter(kind="read").count() == 1


def test_a_paper_that_addresses_the_model_carries_a_badge_and_no_penalty(client):
    _, edition = a_day(client)
    factories.judged(edition, factories.paper(), [90, 0], flags=["addresses_the_model"])

    assert b"addresses a model" in client.get(ADDRESS).content


def test_saved_and_dismissed_last(client):
    alice, edition = a_day(client)
    paper = factories.judged(edition, factories.paper(), [90, 0]).paper
    marks.set_mark(alice, paper, Mark.Kind.SAVED)
    marks.set_mark(alice, paper, Mark.Kind.DISMISSED)

    for address in ("/saved/", "/dismissed/", f"{ADDRESS}?show=dismissed"):
        assert paper.title.encode() in client.get(address).content
    assert b"@misc{" in client.get("/saved/papers.bib").content


# --- days without papers -------------------------------------------------------------------------------

NOON = dt.datetime(2026, 2, 2, 12, tzinfo=dt.UTC)


def nothing_at(client, address):
    with time_machine.travel(NOON, tick=False):
        answer = client.get(address)
    assert answer.status_code == 200
    nothing = answer.context["nothing"]
    assert str(nothing.heading) in html.unescape(answer.content.decode())
    assert nothing.step_url
    return nothing.code


def test_a_reader_without_a_profile_is_led_to_one(client):
    client.force_login(factories.user())

    assert nothing_at(client, "/") == "no_profile"


def test_a_young_profile_waits_for_its_first_page(client):
    alice = factories.user()
    factories.profile(alice)
    factories.announced_papers(1)
    client.force_login(alice)

    assert nothing_at(client, "/") == "opening"


@pytest.mark.parametrize(
    ("day", "code"),
    [
        ("2026-01-31", "weekend"),
        ("2026-01-20", "holiday"),
        ("2026-03-02", "future"),
        ("2026-01-28", "unreachable"),
        ("2026-01-29", "no_edition"),
    ],
)
def test_a_day_without_an_edition_says_why(client, day, code):
    a_day(client)
    factories.announce(factories.paper(), dt.date(2026, 1, 29))

    assert nothing_at(client, f"/feed/{day}/") == code


def test_an_impossible_date_is_a_404(client):
    a_day(client)

    assert client.get("/feed/2026-02-30/").status_code == 404
    assert client.get("/feed/0001-01-01/").status_code == 404


def test_nothing_announced_in_the_categories(client):
    a_day(client)

    assert nothing_at(client, ADDRESS) == "nothing_announced"


def test_nothing_over_the_bar_shows_what_came_close(client):
    _, edition = a_day(client)
    factories.judged(edition, factories.paper(), [58, 0])

    assert nothing_at(client, ADDRESS) == "below_the_bar"


def test_everything_dismissed(client):
    alice, edition = a_day(client)
    marks.set_mark(alice, factories.judged(edition, factories.paper(), [90, 0]).paper, Mark.Kind.DISMISSED)

    assert nothing_at(client, ADDRESS) == "all_gone"


def test_an_edition_being_opened_looks_again_by_itself(client):
    a_day(client, state=Edition.State.OPEN)

    assert nothing_at(client, ADDRESS) == "opening"
    assert b'hx-trigger="load delay:2s"' in client.get(ADDRESS).content


def test_a_used_up_budget_names_its_limit_and_the_feed_goes_on_by_estimate(client):
    _, edition = a_day(
        client,
        state=Edition.State.SCREENED,
        blocked_by={"scope": 3, "subject_id": 1, "period": "day", "limit": 5000, "used": 4900, "held": 0},
        blocked_until=timezone.now() + dt.timedelta(hours=9),
    )
    factories.waiting(edition, factories.paper(), Candidate.Waits.BUDGET)

    page = client.get(ADDRESS).content.decode()

    assert "Your limit is used up." in page
    assert "4,900 of 5,000 tokens" in page
    assert "Waits for budget." in page


def test_the_notice_tells_what_the_window_says_now(client):
    """What the edition keeps is the instant of the refusal; calls in flight have settled since."""
    _, edition = a_day(client, state=Edition.State.SCREENED)
    payer = edition.profile.team.memberships.get()
    now = timezone.now()
    BudgetWindow.objects.create(
        scope=Scope.MEMBER,
        subject_id=payer.pk,
        period="day",
        starts_at=now - dt.timedelta(hours=1),
        ends_at=now + dt.timedelta(hours=1),
        limit_tokens=5000,
        used_tokens=4950,
    )
    stored = {"scope": 3, "subject_id": payer.pk, "period": "day", "limit": 5000, "used": 2100, "held": 2800}
    Edition.objects.update(blocked_by=stored, blocked_until=now + dt.timedelta(hours=1))

    page = client.get(ADDRESS).content.decode()

    assert "4,950 of 5,000 tokens a day are used, 0 are held." in page
    assert "2,100" not in page


# --- a run in progress ---------------------------------------------------------------------------------


def test_progress_tells_what_is_new_since_the_page_came(client):
    _, edition = a_day(client, state=Edition.State.SCREENED)
    factories.judged(edition, factories.paper(), [90, 0])
    factories.waiting(edition, factories.paper())

    page = client.get(ADDRESS).content.decode()
    bar = client.get(f"{ADDRESS}progress/?known=0").content.decode()
    quiet = client.get(f"{ADDRESS}progress/?known=1").content.decode()

    assert 'hx-trigger="every 4s"' in page
    assert "1 of 2 papers read" in bar
    assert "1 new: show" in bar
    assert "new: show" not in quiet


def test_the_end_of_a_run_is_told_also_when_nothing_new_came(client):
    a_day(client)

    bar = client.get(f"{ADDRESS}progress/?known=99").content.decode()

    assert "The day is read." in bar
    assert "Nothing new above the bar" in bar
    assert "hx-trigger" not in bar


def test_a_closed_day_stops_asking(client):
    a_day(client)

    assert b"every 4s" not in client.get(f"{ADDRESS}progress/?known=0").content


# --- a paper's page ------------------------------------------------------------------------------------


def test_why_and_why_not_come_from_stored_numbers(client):
    _, edition = a_day(client, cut_rank=130)
    high = factories.judged(edition, factories.paper(), [90, 20]).paper
    low = factories.judged(edition, factories.paper(), [41, 20]).paper
    out = factories.listed(edition, factories.paper(), Code.SCREENED, estimate=10)
    other = factories.paper(categories=["math.CO"])
    factories.announce(other)
    replaced = factories.paper()
    factories.announce(replaced, kind=Announcement.Kind.REPLACEMENT)

    def said(paper):
        return client.get(f"/papers/{paper.arxiv_id}/").context["verdicts"][0].answer

    assert said(high).is_in
    assert "The model gave it 4.1, below your bar of 6.0" in said(low).text
    assert "rank 3 of 3, and the model was given the first 130" in said(out).text
    assert "It was announced in math.CO; this profile reads cs.LG" in said(other).text
    assert "new version" in said(replaced).text


def test_a_paper_carries_citation_tags_and_downloads(client):
    a_day(client)
    factories.paper("hep-th/9901001", title='A "Quoted" <Title>')

    page = client.get("/papers/hep-th/9901001/").content.decode()

    assert '<meta name="citation_title" content="A &quot;Quoted&quot; &lt;Title&gt;">' in page
    assert page.count('name="citation_author"') == 2
    assert b"@misc{" in client.get("/papers/hep-th/9901001/cite.bib").content
    assert client.get("/papers/hep-th/9901001/cite.exe").status_code == 404


# --- payloads, labels, the frame -----------------------------------------------------------------------


def test_a_payload_is_inert_on_every_page(client):
    alice, edition = a_day(client)
    interest = edition.profile.interests.first()
    type(interest).objects.filter(pk=interest.pk).update(name=PAYLOAD)
    type(edition.profile).objects.filter(pk=edition.profile_id).update(name=PAYLOAD[:100])
    paper = factories.paper(
        "2601.00001",
        title=PAYLOAD,
        abstract=PAYLOAD,
        authors=[PAYLOAD] * 9,
        categories=["cs.LG", "x<b>"],
        comment=PAYLOAD,
    )
    factories.judged(edition, paper, [90, 80], reason=PAYLOAD, quote=PAYLOAD, reason_language='"><b>')
    factories.judged(edition, factories.paper(title=PAYLOAD), [10, 0])
    marks.set_mark(alice, paper, Mark.Kind.SAVED)

    for address in (ADDRESS, ADDRESS + "?view=ranking", ADDRESS + "?show=announced", ADDRESS + "?show=below",
                    "/papers/2601.00001/", "/saved/", "/search/?q=" + PAYLOAD[:50], ADDRESS + "?undo=" + PAYLOAD):  # fmt: skip
        page = client.get(address).content.decode()
        assert "<script>alert" not in page, address
        assert "<img src=x" not in page, address
        assert "<b>" not in page.replace("<b>0", "").replace("<b>1", "").replace("<b>2", "").replace(
            "<b>5", ""
        ), address
    answer = client.post(
        "/papers/2601.00001/marks/",
        {"do": "dismiss", "edition": edition.public_id},
        headers={"HX-Request": "true"},
    )
    assert b"<script>alert" not in answer.content
    cells = client.get(f"{ADDRESS}report.csv").content.decode()
    assert not re.search(r'(^|,)"?[=+@]', cells, re.M)


def test_simulated_and_sample_and_estimate_are_said_on_the_card(client):
    _, edition = a_day(client)
    factories.judged(edition, factories.paper(is_sample=True), [90, 0])
    factories.judged(edition, factories.paper(), [80, 0], by=factories.provider())

    page = client.get(ADDRESS).content.decode()

    assert "by a simulated model" in page
    assert "Sample text, not the authors' abstract" in page
    assert "local estimate, not a language model" in page


def test_no_page_carries_style_or_script_of_its_own(client):
    a_full_day(client)

    for address in (ADDRESS, ADDRESS + "?show=tokens", "/saved/", "/search/"):
        answer = client.get(address)
        page = answer.content.decode()
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)|hx-on|javascript:", page), (
            address
        )
        assert "unsafe" not in answer["Content-Security-Policy"]


def test_arxiv_is_thanked_on_every_page(client):
    a_day(client)

    for address in (ADDRESS, "/search/", "/nowhere/"):
        assert (
            b"Thank you to arXiv for use of its open access interoperability." in client.get(address).content
        )


def test_an_error_page_needs_no_database(client, rf):
    from django.views.defaults import page_not_found, permission_denied, server_error

    request = rf.get("/")
    for view in (
        lambda: server_error(request),
        lambda: page_not_found(request, Exception()),
        lambda: permission_denied(request, Exception()),
    ):
        assert b"Broadsheet" in view().content


@pytest.mark.parametrize(("name", "value"), [("theme", "dark"), ("keys", "off"), ("language", "zh-hans")])
def test_the_looks_are_kept_and_nonsense_is_not(client, name, value):
    good = client.post("/appearance/", {name: value, "next": "/search/"})
    bad = client.post("/appearance/", {name: "<script>", "next": "//evil.example"})

    assert good["Location"] == "/search/"
    assert good.cookies[name].value == value
    assert bad["Location"] == "/"
    assert not bad.cookies


def test_search_finds_by_word_and_by_id(client):
    a_day(client)
    factories.paper("2601.00001", title="Quantum Origami")

    assert b"Quantum Origami" in client.get("/search/?q=origami").content
    assert b"Quantum Origami" in client.get("/search/?q=arXiv:2601.00001v2").content
    assert b"Nothing found" in client.get("/search/?q=zebra").content
