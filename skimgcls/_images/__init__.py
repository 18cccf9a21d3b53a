"""Convert all input formats to one internal type of images: reading, decoding, resizing."""
