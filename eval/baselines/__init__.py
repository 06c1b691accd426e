"""Other people's retrievers and assistants, and ours, behind one contract, to be measured side by side.

Another is one file with a class that fulfils `base.Searcher` (and `base.Answerer`, where it answers),
and one line in `registry.py`.
"""
