"""Displays of images, training and predictions, and what other displays share with them."""
