"""The commands of `python -m eval`, one file each. Importing one loads nothing heavy."""
