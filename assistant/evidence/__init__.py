"""Looking into the papers found: which sentences answer, and whether they do at all. Importing this loads no model."""
