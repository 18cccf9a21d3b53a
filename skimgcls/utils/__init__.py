"""Shared utilities: seeds, targets, parameter checks, files, private APIs of other libraries."""
