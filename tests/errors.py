"""What every error of this package must be, whatever was passed."""

import traceback
import warnings
from pathlib import Path

# Errors of scikit-learn are what its users expect.
OURS = ("skimgcls", "sklearn", "imblearn")
EXPECTED = (ValueError, TypeError, OSError, IndexError)
MOST = 500


def call(function, *args, **options):
    """Call the function; return its result and its error, after checking that it is one of ours."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return function(*args, **options), None
        except EXPECTED as error:
            caught = error
    frames = traceback.extract_tb(caught.__traceback__)
    package = Path(frames[-1].filename).parts
    assert any(name in package for name in OURS), f"{caught!r} is raised by {frames[-1]}"
    assert str(caught).strip(), repr(caught)
    assert len(str(caught)) < MOST, str(caught)
    return None, caught
