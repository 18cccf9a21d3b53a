"""Image classification for people who think in scikit-learn."""

import lazy_loader

__version__ = "0.1.0.dev0"

# `__init__.pyi` lists the public names. A module is imported when one of its names is first used,
# because torch takes seconds to import and `import skimgcls` should be fast (Scientific Python's
# SPEC 1, lazy loading of submodules and functions).
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
