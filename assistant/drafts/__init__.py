"""One's own draft against the library: its sentences, the papers that they cite, and whether these bear them out."""
