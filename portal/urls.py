"""Every address of the portal; each app adds its own."""

from django.contrib import admin
from django.urls import include, path

from portal.appearance import set_appearance

urlpatterns = [
    path("appearance/", set_appearance, name="appearance"),
    path("account/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("", include("scoring.urls")),
    path("", include("profiles.urls")),
    path("profiles/", include("scoring.profile_urls")),
]
