"""Explanations of predictions: saliency maps and their display."""
