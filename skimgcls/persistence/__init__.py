"""Save fitted estimators to files that are safe to load."""

from skimgcls.persistence._load import load
from skimgcls.persistence._save import save
from skimgcls.persistence._trusted import get_trusted_types

__all__ = ["get_trusted_types", "load", "save"]
