"""Answers from the catalogue, without reading an abstract: talk, counts, lists, and instructions on the last answer."""
