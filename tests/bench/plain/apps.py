"""The application."""

from __future__ import annotations

from django.apps import AppConfig


class PlainConfig(AppConfig):
    name = "tests.bench.plain"
    label = "plain"
