"""Training the reader and the matcher of `assistant/evidence/`."""
