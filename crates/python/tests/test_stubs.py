"""What an editor is told of the package is what the package is."""

import ast
import inspect
from importlib import resources

import chairside_pkpd as lab
import pytest

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

STUBS = ast.parse(resources.files("chairside_pkpd").joinpath("__init__.pyi").read_text())
TOLD = {stub.name: stub for stub in STUBS.body if isinstance(stub, (ast.FunctionDef, ast.ClassDef))}
# Shapes of answers, which have no object of their own.
SHAPES = {"Draws", "Asked", "Fit"}


def arguments(stub):
    positional = stub.args.posonlyargs + stub.args.args
    given = dict(zip(reversed([one.arg for one in positional]), reversed(stub.args.defaults)))
    given |= {one.arg: default for one, default in zip(stub.args.kwonlyargs, stub.args.kw_defaults) if default}
    named = [(one.arg, False) for one in positional] + [(one.arg, True) for one in stub.args.kwonlyargs]
    return [(name, alone, ast.literal_eval(given[name]) if name in given else "none") for name, alone in named]


def signature(function):
    each = inspect.signature(function).parameters.values()
    absent = inspect.Parameter.empty
    return [
        (one.name, one.kind is one.KEYWORD_ONLY, "none" if one.default is absent else one.default) for one in each
    ]


def test_every_public_name_is_told_and_no_other():
    public = {name for name in vars(lab) if not name.startswith("_") and not inspect.ismodule(getattr(lab, name))}
    assert public == TOLD.keys() - SHAPES
    assert resources.files("chairside_pkpd").joinpath("py.typed").is_file()


def test_functions_take_the_arguments_that_are_told():
    told = {name: arguments(stub) for name, stub in TOLD.items() if isinstance(stub, ast.FunctionDef)}
    assert len(told) == 7
    assert told == {name: signature(getattr(lab, name)) for name in told}


def test_classes_have_the_members_that_are_told():
    members = {one.name for one in TOLD["Summary"].body}
    assert members == {name for name in vars(lab.Summary) if not name.startswith("_")}
    given = {"doses": "35 mg bolus", "substance": "esketamine"}
    fitted = lab.fit("otto2021_fanta2015", weight_kg=70, **given, time_min=[20], level_ng_ml=[50], draws=300)
    shapes = {name: {one.target.id for one in TOLD[name].body} for name in SHAPES}
    assert fitted.keys() == shapes["Fit"] | {"posterior"}
    assert fitted["posterior"].keys() == shapes["Draws"]
