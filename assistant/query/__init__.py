"""What a question asks, and what the conversation and the filters lend it."""
