"""Problems in files and labels before training: audit, duplicates, class distribution."""
