"""Every address of the portal; each app adds its own."""

from allauth.account.decorators import secure_admin_login
from allauth.socialaccount.models import SocialApp, SocialToken
from allauth.urls import build_provider_urlpatterns
from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView

from portal import health, operating, your_data
from portal.appearance import favicon, set_appearance
from profiles import sign_ins

# The admin's door is the portal's own: with its limits and its second factor.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
sign_ins.listen()
# Providers are set up in the environment; a row would only pretend to.
admin.site.unregister([SocialApp, SocialToken])
operating.tidy(admin.site)
admin.site.site_header = admin.site.site_title = "Broadsheet"
handler500 = "portal.outage.server_error"

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
    path("favicon.ico", favicon, name="favicon"),
    path("appearance/", set_appearance, name="appearance"),
    path("settings/data/", your_data.your_data, name="your_data"),
    path("settings/data/take/", your_data.take_data, name="take_data"),
    path("settings/data/delete/", your_data.delete_account, name="delete_account"),
    path("account/", include("allauth.account.urls")),
    path("account/2fa/", include("allauth.mfa.urls")),
    path("account/3rdparty/", include("allauth.socialaccount.urls")),
    path("account/sessions/", include("allauth.usersessions.urls")),
    path("account/", include(build_provider_urlpatterns())),
    path("admin/", admin.site.urls),
    path("api/schema/", SpectacularAPIView.as_view(), name="api_schema"),
    path("api/v1/", include("scoring.api.urls")),
    path("", include("scoring.urls")),
    path("", include("profiles.urls")),
]
