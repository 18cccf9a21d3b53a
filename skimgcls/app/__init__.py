"""A page that asks a saved model about pictures: ``python -m skimgcls.app flowers.skimgcls``."""
