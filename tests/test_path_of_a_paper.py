"""The path of a paper, from arXiv's feed to a reader's page, report, API and mail: one story, real parts.

The feed is a file in arXiv's form, the model an HTTP server on loopback, the mail Django's own outbox.
"""

import datetime as dt
import json

import pytest
from django.core import mail
from django.core.management import call_command

from papers.harvest import import_files
from papers.models import Announcement, Paper
from scoring import digest, editions, report
from scoring.models import Candidate, Edition, Hold, Score
from tests import factories
from tests.scoring.reading import read_all
from tests.scoring.reference_report import read

pytestmark = pytest.mark.django_db

DAY = dt.date(2026, 1, 30)
MORNING = dt.datetime(2026, 1, 30, 9, 0, tzinfo=dt.UTC)

ITEM = """<item>
  <title>{title}</title>
  <link>https://arxiv.org/abs/{arxiv_id}</link>
  <description>arXiv:{arxiv_id}{version} Announce Type: {kind}
Abstract: {abstract}</description>
  <guid isPermaLink="false">oai:arXiv.org:{arxiv_id}{version}</guid>
  <category>cs.LG</category>
  <pubDate>Fri, 30 Jan 2026 00:00:00 -0500</pubDate>
  <arxiv:announce_type>{kind}</arxiv:announce_type>
  <dc:creator>{authors}</dc:creator>
</item>"""

FEED = """<?xml version='1.0' encoding='UTF-8'?>
<rss xmlns:arxiv="http://arxiv.org/schemas/atom" xmlns:dc="http://purl.org/dc/elements/1.1/" version="2.0">
<channel>
<title>cs.LG updates on arXiv.org</title>
<link>http://rss.arxiv.org/rss/cs.LG</link>
<description>cs.LG updates on the arXiv.org e-print archive.</description>
<pubDate>Fri, 30 Jan 2026 00:00:00 -0500</pubDate>
{items}
</channel></rss>"""

WANTED = "Graph neural networks are trained by reinforcement learning on graphs; graph neural policies win."
UNWANTED = "The salinity of sea water is measured over many years at one place."
PAPERS = [
    ("2601.00001", "v1", "new", "GraphTamer: Graph Neural Networks for Reinforcement Learning", WANTED),
    ("2601.00002", "v1", "new", "Salt of the Sea", UNWANTED),
    ("2601.00003", "v1", "cross", "A Cross-Listed Graph", WANTED),
    ("2512.00004", "v2", "replace", "An Older Graph, Replaced", WANTED),
]


@pytest.fixture
def judge(settings, fake_model):
    settings.LLM_BASE_URL, settings.LLM_API_KEY, settings.LLM_MODEL = fake_model.base_url, "", "simulated"
    return fake_model


@pytest.fixture
def feed_file(tmp_path):
    items = "\n".join(
        ITEM.format(
            arxiv_id=arxiv_id,
            version=version,
            kind=kind,
            title=title,
            abstract=abstract,
            authors=r"Oliver M\"uller, Ren\'e Descartes",
        )
        for arxiv_id, version, kind, title, abstract in PAPERS
    )
    path = tmp_path / "2026-01-30_rss_cs.LG.xml"
    path.write_text(FEED.format(items=items), encoding="utf-8")
    return path


@pytest.fixture
def alice():
    return factories.user("alice@example.org", wants_digest=True)


@pytest.fixture
def edition(alice, judge, feed_file):
    """The day, harvested, opened, screened, read and closed."""
    profile = factories.profile(alice, target_recall=1.0)
    import_files([feed_file])
    opened = editions.open_edition(profile, DAY)
    editions.screen(opened)
    read_all()
    editions.close(Edition.objects.get(), MORNING)
    return Edition.objects.get()


def test_what_arxiv_announced_is_stored_as_it_was(edition):
    kinds = dict(Announcement.objects.values_list("paper__arxiv_id", "kind"))
    paper = Paper.objects.get(arxiv_id="2601.00001")

    assert kinds == {
        "2601.00001": "new",
        "2601.00002": "new",
        "2601.00003": "cross",
        "2512.00004": "replacement",
    }
    assert paper.title == "GraphTamer: Graph Neural Networks for Reinforcement Learning"
    assert [author["name"] for author in paper.authors] == ["Oliver Müller", "René Descartes"]


def test_the_account_of_the_day_adds_up_and_every_call_is_settled(edition, judge):
    account = editions.account(edition)

    assert account.announced == 2
    assert account.judged == 2
    assert edition.state == Edition.State.CLOSED
    assert sum(Hold.objects.values_list("used_tokens", flat=True)) == judge.bill.total_tokens
    assert set(Hold.objects.values_list("state", flat=True)) == {Hold.State.SETTLED}
    call_command("audit")


def test_the_reader_finds_it_on_the_page_best_first(edition, client, alice):
    client.force_login(alice)

    page = client.get("/feed/2026-01-30/").content.decode()
    below = client.get("/feed/2026-01-30/?show=below").content.decode()

    best, other = Candidate.objects.best_first()
    assert best.paper.arxiv_id == "2601.00001"
    assert "GraphTamer: Graph Neural Networks" in page
    assert "Salt of the Sea" in below
    assert Score.objects.get(pk=best.score_id).reason in page
    assert (best.value or 0) > 60 > (other.value or 0)


def test_the_report_says_the_same_and_reads_as_the_reference_does(edition):
    text = report.markdown(edition.profile, DAY, "UTC", "en")

    told = read(text)
    assert [(entry.title, entry.authors) for entry in told.entries] == [
        ("GraphTamer: Graph Neural Networks for Reinforcement Learning", "Oliver Müller, René Descartes")
    ]
    assert "Announced 2 = read 2; recommended 1" in text
    assert text == report.markdown(edition.profile, DAY, "UTC", "en")


def test_the_api_and_the_mail_tell_it_too(edition, client, alice):
    client.force_login(alice)

    entries = json.loads(client.get(f"/api/v1/editions/{edition.public_id}/entries/").content)
    digest.send_due(MORNING)

    assert entries["results"][0]["arxiv_id"] == "2601.00001"
    (message,) = mail.outbox
    assert message.to == ["alice@example.org"]
    assert "GraphTamer: Graph Neural Networks" in message.body


def test_a_second_delivery_of_the_same_day_costs_nothing(edition, feed_file, judge):
    spent = judge.bill.total_tokens

    import_files([feed_file])
    editions.open_edition(edition.profile, DAY)
    editions.screen(Edition.objects.get())
    read_all()

    assert judge.bill.total_tokens == spent
    assert Score.objects.count() == 2
    assert Edition.objects.get().state == Edition.State.CLOSED


def test_a_stranger_finds_nothing(edition, client):
    client.force_login(factories.user("charlie@example.org"))

    assert client.get(f"/api/v1/editions/{edition.public_id}/").status_code == 404
    assert "GraphTamer" not in client.get("/feed/2026-01-30/").content.decode()
