"""Training and judging the reader of `assistant/reading/`."""
