"""Docstrings of public classes: parameters, defaults, attributes, and the shared sections."""

import inspect
import re
from ast import literal_eval
from inspect import isabstract

import numpy as np
import pandas as pd
import pytest

import skimgcls
from skimgcls import BaseImageClassifier
from skimgcls.utils._docstrings import FITTED_ATTRIBUTES, TRAINING_PARAMETERS, with_shared_sections

NAMES = [getattr(skimgcls, name) for name in skimgcls.__all__]
PUBLIC = [
    value
    for value in NAMES
    if inspect.isfunction(value) or (inspect.isclass(value) and not issubclass(value, Exception))
]
ESTIMATORS = [value for value in PUBLIC if hasattr(value, "get_params")]
CLASSIFIERS = [cls for cls in ESTIMATORS if issubclass(cls, BaseImageClassifier)]
TRANSFORMERS = [cls for cls in ESTIMATORS if cls not in CLASSIFIERS]
every_callable = pytest.mark.parametrize("value", PUBLIC)
every_classifier = pytest.mark.parametrize("classifier", CLASSIFIERS)
every_own_net = pytest.mark.parametrize("classifier", [c for c in CLASSIFIERS if not isabstract(c)])


def entries(text):
    """Return the documented names: unindented lines ``name : type`` or ``a, b : type``."""
    lines = re.findall(r"^(\w+(?:, \w+)*) : ", text, flags=re.MULTILINE)
    return [name for line in lines for name in line.split(", ")]


def section(value, title):
    _, _, rest = inspect.getdoc(value).partition(f"{title}\n{'-' * len(title)}\n")
    return re.split(r"\n\n\w[\w ]*\n---", rest)[0]


@every_callable
def test_parameters_are_documented_in_the_order_of_the_signature(value):
    assert entries(section(value, "Parameters")) == list(inspect.signature(value).parameters)


@every_callable
def test_documented_defaults_equal_those_of_the_signature(value):
    text = section(value, "Parameters")
    for name, parameter in inspect.signature(value).parameters.items():
        line = re.search(rf"^(?:\w+, )*{name}(?:, \w+)* : (.*)$", text, flags=re.MULTILINE)[1]
        _, told, documented = line.partition("default=")
        assert bool(told) == (parameter.default is not inspect.Parameter.empty), name
        if told:
            assert literal_eval(documented) == parameter.default, name


@every_classifier
def test_shared_attributes_are_documented(classifier):
    found, shared = entries(section(classifier, "Attributes")), entries(FITTED_ATTRIBUTES)
    assert [name for name in found if name in shared] == list(shared)


@every_own_net
def test_documented_attributes_of_classifiers_exist_after_fit(classifier):
    X = np.arange(64.0).reshape(4, 16)
    clf = classifier(max_iter=1).fit(X, [0, 1, 0, 1])
    for name in entries(section(classifier, "Attributes")):
        assert hasattr(clf, name) or name == "feature_names_in_", name


@pytest.mark.parametrize("cls", TRANSFORMERS)
def test_documented_attributes_of_transformers_are_those_after_fit(cls):
    X = pd.DataFrame(np.arange(16.0).reshape(4, 4), columns=list("abcd"))
    estimator, y = cls(), [0, 1, 0, 0]
    resample = getattr(estimator, "fit_resample", None)
    _ = estimator.fit(X, y) if resample is None else resample(X, y)
    computed = {name for name, value in vars(cls).items() if isinstance(value, property)}
    found = {name for name in {*vars(estimator), *computed} if name.endswith("_")}
    assert found == set(entries(section(cls, "Attributes")))


@every_classifier
def test_all_placeholders_are_replaced(classifier):
    assert "{training_parameters}" not in classifier.__doc__
    assert "{fitted_attributes}" not in classifier.__doc__


def test_class_without_docstring_gets_none():
    @with_shared_sections
    class Bare:
        pass

    @with_shared_sections
    class Short:
        """Title.

        {training_parameters}
        """

    assert Bare.__doc__ is None
    assert Short.__doc__ == f"Title.\n\n{TRAINING_PARAMETERS}"
