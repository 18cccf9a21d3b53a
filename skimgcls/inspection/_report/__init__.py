"""Evaluation report of a fitted classifier, as tables and as an HTML page."""
