"""The page, and the names that the templates link to."""

from __future__ import annotations

from django.urls import path

from tests.bench.plain import views

urlpatterns = [
    path("accounts/<str:reference>/reveal", views.reveal, name="reveal"),
    path("accounts/<str:reference>", views.other, name="account"),
    path("grants/<int:grant>/end", views.other, name="end_grant"),
    *(
        path(f"{name}/", views.other, name=name)
        for name in ("home", "go", "preferences", "profile", "sign_out", "session_left", "session_stay")
    ),
]
