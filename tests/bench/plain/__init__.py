"""The same account page in plain Django: what a good developer writes without Gatekeeper's ideas.

Django's sessions and users, django-otp, django-guardian (a direct foreign key, its faster form), NDA
and ticket by the ORM, django-auditlog's access entry, and the same HTML by Gatekeeper's templates as
Django would have them, without fragments. Values stand in plain text; nothing is released after a record.
"""
