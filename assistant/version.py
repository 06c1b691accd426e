"""The version, alone, so that packaging can read it."""

VERSION = "0.1.0"
