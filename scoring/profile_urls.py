"""Addresses of the pages on which a reader says what to read."""

from django.urls import path

from .views import profiles

urlpatterns = [
    path("", profiles.profile_list, name="profiles"),
    path("new/", profiles.profile_new, name="profile_new"),
    path("import/", profiles.profile_import, name="profile_import"),
    path("<uuid:public_id>/", profiles.profile_edit, name="profile"),
    path("<uuid:public_id>/first/", profiles.profile_first, name="profile_first"),
    path("<uuid:public_id>/pause/", profiles.profile_pause, name="profile_pause"),
    path("<uuid:public_id>/delete/", profiles.profile_delete, name="profile_delete"),
    path("<uuid:public_id>/profile.toml", profiles.profile_file, name="profile_file"),
]
