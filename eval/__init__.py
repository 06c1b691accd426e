"""The project's own measure: a fixed question set, metrics, one command. Knows `assistant`."""
