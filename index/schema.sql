-- Version 1 of the catalogue. Later versions are steps of `_MIGRATIONS` in catalogue.py, for new files too.

CREATE TABLE sources (
    source_id INTEGER PRIMARY KEY,
    name      TEXT NOT NULL UNIQUE,  -- absolute path of the file, or starter/FILE
    root      TEXT NOT NULL,         -- what the user named: a file, a folder, a glob; refreshed as such
    starter   INTEGER NOT NULL       -- 1: its abstracts are summaries in our own words
);

-- Every paper as every source tells it: papers are made from these.
CREATE TABLE entries (
    source_id INTEGER NOT NULL REFERENCES sources ON DELETE CASCADE,
    paper_id  TEXT NOT NULL,
    record    TEXT NOT NULL,         -- the Entry, as JSON
    PRIMARY KEY (source_id, paper_id)
) WITHOUT ROWID;
CREATE INDEX entries_of_paper ON entries (paper_id);

CREATE TABLE papers (
    number   INTEGER PRIMARY KEY,    -- rowid, shared with papers_text
    paper_id TEXT NOT NULL UNIQUE,
    record   TEXT NOT NULL,          -- the Paper, as JSON
    date     TEXT,                   -- for filters: the exact or else the inferred date
    digest   TEXT NOT NULL           -- of what is embedded: title and abstract
);

CREATE VIRTUAL TABLE papers_text USING fts5 (title, abstract, tokenize='porter unicode61');

-- What the vectors hold, so that Chroma can be made to follow. `digest` NULL: being written.
CREATE TABLE embedded (
    paper_id    TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL,       -- of model and chunking
    digest      TEXT,
    sentences   TEXT NOT NULL        -- spans [[start, end], ...] of the abstract, as embedded
) WITHOUT ROWID;
