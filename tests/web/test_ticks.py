"""Forms with several choices: all unticked is nothing, and a list that did not come is not a choice."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from django import forms
from django.http import QueryDict
from django.template.loader import render_to_string
from django.urls import reverse

from audit.models import Entry
from gatekeeper.access.forms import ApproveForm
from gatekeeper.models import AccessRequest, Grant
from staff.directory.forms import MemberForm, RolesForm
from staff.models import Member
from tests.world.scene import enter

if TYPE_CHECKING:
    from tests.world.scene import Scene

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


def several() -> list[tuple[type[forms.Form], str]]:
    """Every form of ours with a choice of several, and that field's name."""
    waiting: list[type[forms.Form]] = [forms.Form]
    found: list[tuple[type[forms.Form], str]] = []
    while waiting:
        form = waiting.pop()
        waiting += form.__subclasses__()
        fields: dict[str, forms.Field] = getattr(form, "base_fields", {})
        ours = form.__module__.startswith(("gatekeeper.", "staff.", "audit."))
        found += [(form, name) for name, one in fields.items() if ours and several_of(one)]
    return sorted(found, key=lambda one: (one[0].__name__, one[1]))


def several_of(field: forms.Field) -> bool:
    return isinstance(field, forms.MultipleChoiceField | forms.ModelMultipleChoiceField)


def errors_of(form: type[forms.Form], name: str, sent: str) -> Any:
    """What is wrong with the one field when this was sent."""
    field = form.base_fields[name]
    value = field.widget.value_from_datadict(QueryDict(sent), {}, name)
    try:
        return field.clean(value)
    except forms.ValidationError as error:
        return error


def test_the_forms_with_several_choices_are_known() -> None:
    names = {form.__name__ for form, _name in several()}
    assert names == {"AskForm", "ApproveForm", "MemberForm", "RolesForm", "SignaturesForm"}


@pytest.mark.parametrize(("form", "name"), several())
def test_a_list_that_did_not_come_is_refused_and_an_empty_one_is_empty(
    form: type[forms.Form], name: str
) -> None:
    assert isinstance(errors_of(form, name, ""), forms.ValidationError)
    assert isinstance(errors_of(form, name, "another=1"), forms.ValidationError)
    emptied = errors_of(form, name, f"{name}=")
    if form.base_fields[name].required:
        assert isinstance(emptied, forms.ValidationError)
    else:
        assert emptied == []


@pytest.mark.parametrize("sent", [{}, {"categories": ""}, {"minutes": "30"}, {"categories": ["", ""]}])
def test_an_approval_of_nothing_approves_nothing(scene: Scene, sent: dict[str, Any]) -> None:
    request = scene.ask()
    manager = scene.browser(scene.boss)
    answer = manager.post(reverse("approve", args=[request]), sent, follow=True)
    assert ("Tick at least one" in answer.content.decode()) == ("categories" in sent)
    assert AccessRequest.objects.get(pk=request).state == "pending"
    assert not Grant.objects.exists()
    manager.post(reverse("approve", args=[request]), {"categories": ["", "company"]})
    assert Grant.objects.get().categories == ["company"]


def test_pages_send_the_mark_along(scene: Scene) -> None:
    scene.ask()
    page = scene.browser(scene.boss).get(reverse("inbox")).content.decode()
    approve = re.search(r'<form [^>]*id="approve-\d+">.*?</form>', page, re.S)
    assert approve is not None
    assert '<input type="hidden" name="categories" value="">' in approve[0]
    assert '<input type="hidden" name="roles" value="">' in marked(MemberForm())
    assert '<input type="hidden" name="roles-roles" value="">' in marked(RolesForm(prefix="roles"))
    assert ApproveForm({"categories": ["contact"]}).is_valid()


def marked(form: forms.Form) -> str:
    return render_to_string("staff/frame/_chips.html", {"field": form["roles"], "hint": ""})


def test_roles_are_taken_away_only_when_all_were_unticked(scene: Scene) -> None:
    officer = scene.world.member("people")
    scene.world.signature(officer)
    client = enter(scene.world, officer)
    address = reverse("member_action", args=[scene.carl.number, "roles"])
    assert client.post(address, {}).status_code == 422
    assert Member.objects.get(pk=scene.carl.id).roles == ["consultant"]
    assert client.post(address, {"roles-roles": ""}).status_code == 302
    assert Entry.objects.latest("id").outcome == "allowed"
    assert Member.objects.get(pk=scene.carl.id).roles == []
