"""The settings that SQL uses."""

from __future__ import annotations

from django.db import models


class Limit(models.Model):
    """A setting that SQL uses, here and in the rooms above; only `apply_settings` writes it."""

    name = models.CharField(max_length=40, primary_key=True)
    value = models.CharField(max_length=200)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.name
