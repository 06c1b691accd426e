"""Other people's test collections: documents, queries and judgements in the field's formats, and its measures over them."""
