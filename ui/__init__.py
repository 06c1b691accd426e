"""The chat page. Knows `assistant`; nothing knows it."""
