"""What is there already is not made again."""

import os

import pytest

from portal import preparation


@pytest.fixture
def folders(settings, tmp_path):
    """Where static files come from, with one in it, and where they are collected."""
    source, collected = tmp_path / "source", tmp_path / "collected"
    source.mkdir()
    (source / "page.css").write_text("a {}")
    settings.STATICFILES_DIRS, settings.STATIC_ROOT = [source], collected
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    return source, collected


def test_static_files_are_collected_again_only_where_one_changed(folders):
    source, collected = folders
    preparation.collect_static_files()
    (collected / "page.css").write_text("as it was collected")

    preparation.collect_static_files()
    unchanged = (collected / "page.css").read_text()
    (source / "page.css").write_text("b {}")
    os.utime(source / "page.css", (4e9, 4e9))
    preparation.collect_static_files()

    assert unchanged == "as it was collected"
    assert (collected / "page.css").read_text() == "b {}"


def test_what_was_removed_from_the_collection_is_collected_again(folders):
    _, collected = folders
    preparation.collect_static_files()
    for path in collected.iterdir():
        path.unlink()

    preparation.collect_static_files()

    assert (collected / "page.css").exists()
