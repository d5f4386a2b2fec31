"""The portal's addresses as they are where an OpenID Connect server is set up, and codes are mailed."""

from allauth.account.views import request_login_code
from allauth.socialaccount.providers.openid_connect.urls import urlpatterns as provider
from django.urls import include, path

from portal.urls import handler500, urlpatterns

__all__ = ["handler500"]

urlpatterns = [
    path("account/login/code/", request_login_code, name="account_request_login_code"),
    path("account/", include(provider)),
    *urlpatterns,
]
