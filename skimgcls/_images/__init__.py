"""Every input format becomes one internal type of images here: reading, decoding, resizing."""
