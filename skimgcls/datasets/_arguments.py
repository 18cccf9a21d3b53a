"""Argument checks with the error messages of scikit-learn."""

import os
from typing import Any

import numpy as np


def check_flags(caller: str, **flags: Any) -> None:
    """Raise unless every value is a boolean.

    >>> check_flags("fetch_mnist", as_frame="yes")
    Traceback (most recent call last):
    ...
    TypeError: The 'as_frame' parameter of fetch_mnist must be True or False. Got 'yes' instead.
    """
    for name, value in flags.items():
        if not isinstance(value, bool | np.bool_):
            raise TypeError(
                f"The {name!r} parameter of {caller} must be True or False. Got {value!r} instead."
            )


def check_option(caller: str, name: str, value: Any, options: tuple[str | None, ...]) -> None:
    """Raise unless a value is one of the options.

    >>> check_option("fetch_mnist", "subset", "tset", ("train", "test"))
    Traceback (most recent call last):
    ...
    ValueError: The 'subset' parameter of fetch_mnist must be one of 'train', 'test'. Got 'tset' ...
    """
    if not (value is None or isinstance(value, str)) or value not in options:
        listed = ", ".join(map(repr, options))
        raise ValueError(
            f"The {name!r} parameter of {caller} must be one of {listed}. Got {value!r} instead."
        )


def check_path(caller: str, name: str, value: Any) -> str:
    """Return a path as a string, with "~" replaced by the home folder, or raise.

    >>> check_path("load_image_folder", "container_path", 3)
    Traceback (most recent call last):
    ...
    TypeError: The 'container_path' parameter of load_image_folder must be a path. Got 3 instead.
    """
    path = os.fspath(value) if isinstance(value, str | os.PathLike) else value
    if not isinstance(path, str):
        raise TypeError(
            f"The {name!r} parameter of {caller} must be a path. Got {value!r} instead."
        )
    return os.path.expanduser(path)
