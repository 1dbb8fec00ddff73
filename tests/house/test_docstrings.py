"""What is public says what goes in and out: types stand in hints; units, errors and sense in docstrings.

Public is what has no underscore before its name. A method that a parent has as well keeps what the parent
promises, and a command says what it does in its `help`. Moments know their time zone everywhere (ruff, DTZ).
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import pytest
from django import forms
from django.core.management.base import BaseCommand

from tests.house.source import ROOT, modules, name_of

#: Words for how much, without saying of what.
MEASURES: Final = {"age", "every", "life", "limit", "pause", "size", "timeout", "time", "wait", "width"}
UNITS: Final = re.compile(
    r"second|minute|hour|day|byte|character|lea(f|ves)|entr|row|point|millimetre|\bmm\b|share", re.I
)
#: An answer, and what only stands for a method that is to come.
NO_ERROR: Final = {"Http404", "NotImplementedError"}


@dataclass(frozen=True)
class Public:
    """A public class, function or method."""

    place: str
    node: ast.ClassDef | ast.FunctionDef
    told: str


def is_public(node: ast.AST) -> bool:
    if not isinstance(node, ast.ClassDef | ast.FunctionDef) or node.name.startswith("_"):
        return False
    return not any(ast.unparse(one) == "overload" for one in node.decorator_list)


def keeps_a_promise(parent: type, name: str) -> bool:
    """Whether a method is of a class before this one, or one that a form's field calls."""
    inherited = any(name in vars(one) for one in parent.__mro__[1:])
    return inherited or (issubclass(parent, forms.BaseForm) and name.startswith("clean_"))


def of_module(name: str, tree: ast.Module) -> Iterator[Public]:
    module = importlib.import_module(name)
    for node in filter(is_public, tree.body):
        assert isinstance(node, ast.ClassDef | ast.FunctionDef)
        found = getattr(module, node.name)
        is_command = inspect.isclass(found) and issubclass(found, BaseCommand)
        told = ast.get_docstring(node) or (found.help if is_command else "")
        yield Public(f"{name}.{node.name}", node, told)
        for method in node.body if isinstance(node, ast.ClassDef) else ():
            if not isinstance(method, ast.FunctionDef) or not is_public(method):
                continue
            if not keeps_a_promise(found, method.name):
                yield Public(f"{name}.{node.name}.{method.name}", method, ast.get_docstring(method) or "")


TREES: Final = {
    name_of(path): ast.parse(path.read_text(encoding="utf-8"))
    for path in modules()
    if path.name != "__main__.py" and path != ROOT / "gatekeeper/wsgi.py"
}
PUBLIC: Final = [one for name, tree in TREES.items() for one in of_module(name, tree)]


@pytest.mark.parametrize("name", TREES)
def test_a_module_says_what_it_is(name: str) -> None:
    tree = TREES[name]
    assert ast.get_docstring(tree) or not tree.body


def test_what_is_public_has_a_docstring() -> None:
    assert [one.place for one in PUBLIC if not one.told] == []


def raised(function: ast.AST) -> set[str]:
    """The errors that a function raises by itself, by name."""
    given = [node.exc for node in ast.walk(function) if isinstance(node, ast.Raise) and node.exc]
    names = [ast.unparse(one.func if isinstance(one, ast.Call) else one).split(".")[-1] for one in given]
    return {name for name in names if name[0].isupper()} - NO_ERROR


def test_what_is_public_names_the_errors_that_it_raises() -> None:
    unsaid = {
        one.place: wrong
        for one in PUBLIC
        if isinstance(one.node, ast.FunctionDef)
        and (wrong := {error for error in raised(one.node) if error not in one.told})
    }
    assert unsaid == {}


def measures(function: ast.FunctionDef) -> set[str]:
    """The parameters that are a bare number, and whose name says how much but not of what."""
    given = function.args.posonlyargs + function.args.args + function.args.kwonlyargs
    return {
        one.arg
        for one in given
        if one.annotation and set(re.findall(r"\w+", ast.unparse(one.annotation))) & {"int", "float"}
        if one.arg.split("_")[-1] in MEASURES or "float" in ast.unparse(one.annotation)
        if not UNITS.search(one.arg)
    }


def test_a_bare_number_has_its_unit() -> None:
    unsaid = {
        one.place: wrong
        for one in PUBLIC
        if isinstance(one.node, ast.FunctionDef)
        and (wrong := measures(one.node))
        and not UNITS.search(one.told)
    }
    assert unsaid == {}


def types(node: ast.expr | None) -> set[str]:
    return set(re.findall(r"\w+", ast.unparse(node))) if node else set()


def test_what_goes_between_days_and_moments_says_whose_day_it_is() -> None:
    found = {}
    for one in PUBLIC:
        if isinstance(one.node, ast.FunctionDef):
            given = one.node.args.posonlyargs + one.node.args.args + one.node.args.kwonlyargs
            taken = set().union(*(types(argument.annotation) for argument in given))
            if {"date", "datetime"} <= taken | types(one.node.returns):
                found[one.place] = one.told
    assert found
    assert [place for place, told in found.items() if not re.search("company|UTC|time zone", told)] == []
