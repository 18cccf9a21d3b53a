"""Web page that classifies images: ``python -m skimgcls.app flowers.skimgcls``."""
