"""The same account page in plain Django: what a good developer writes without Gatekeeper's ideas.

Django's sessions and users, django-otp, django-guardian (a direct foreign key, its faster form), NDA
and ticket by the ORM, django-auditlog's access entry, and Gatekeeper's own templates, so that what is
compared is the access and not the HTML. Values stand in plain text; nothing is released after a record.
"""
