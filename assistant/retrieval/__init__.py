"""Finding papers for a question, and ranking them anew. Importing this loads no model."""
