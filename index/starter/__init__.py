"""The starter library: five listings, every abstract a summary in our own words."""
