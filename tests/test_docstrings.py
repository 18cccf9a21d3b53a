"""Parameters and attributes that every classifier has are documented once, and for each."""

import inspect
import re
from ast import literal_eval

import numpy as np
import pytest

import skimgcls
from skimgcls import MLPImageClassifier
from skimgcls._docstrings import FITTED_ATTRIBUTES, TRAINING_PARAMETERS, with_shared_sections

CLASSIFIERS = [getattr(skimgcls, name) for name in skimgcls.__all__ if name != "estimator_checks"]
every_classifier = pytest.mark.parametrize("classifier", CLASSIFIERS)


def entries(text):
    """The names documented: the lines ``name : type`` that are not indented."""
    return re.findall(r"^(\w+) : ", text, flags=re.MULTILINE)


def section(classifier, title):
    _, _, rest = inspect.getdoc(classifier).partition(f"{title}\n{'-' * len(title)}\n")
    return re.split(r"\n\n\w[\w ]*\n---", rest)[0]


@every_classifier
def test_every_parameter_is_documented_in_the_order_of_the_constructor(classifier):
    parameters = list(inspect.signature(classifier).parameters)
    assert entries(section(classifier, "Parameters")) == parameters


@every_classifier
def test_the_default_documented_is_the_default(classifier):
    text = section(classifier, "Parameters")
    for name, parameter in inspect.signature(classifier).parameters.items():
        documented = re.search(rf"^{name} : .*default=(.*)$", text, flags=re.MULTILINE)[1]
        assert literal_eval(documented) == parameter.default, name


@every_classifier
def test_every_attribute_is_documented(classifier):
    assert entries(section(classifier, "Attributes")) == entries(FITTED_ATTRIBUTES)


@every_classifier
def test_no_placeholder_is_left(classifier):
    assert "{training_parameters}" not in classifier.__doc__
    assert "{fitted_attributes}" not in classifier.__doc__


def test_every_attribute_documented_is_there_after_fit():
    X = np.arange(16.0).reshape(4, 4)
    clf = MLPImageClassifier(4, max_iter=1).fit(X, [0, 1, 0, 1])
    for name in entries(FITTED_ATTRIBUTES):
        assert hasattr(clf, name) or name == "feature_names_in_", name


def test_a_class_without_docstring_is_left_without():
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
