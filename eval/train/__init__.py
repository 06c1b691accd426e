"""Training, apart from all that measures: the data, one loop, a file for each network, and what is fitted (`fit/`)."""
