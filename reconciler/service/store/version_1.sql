-- The tables. `seq` is the order in which rows were made: seconds are too coarse to sort by.

CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT NOT NULL);

-- A deleted file keeps its row, so that a client that pages while it deletes keeps its place.
CREATE TABLE files (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    filename TEXT NOT NULL,
    purpose TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    deleted_at INTEGER
);

CREATE TABLE jobs (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    base TEXT NOT NULL,
    training_file TEXT NOT NULL,
    validation_file TEXT,
    suffix TEXT NOT NULL,
    seed INTEGER NOT NULL,
    metadata TEXT,
    hyperparameters TEXT NOT NULL,
    status TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    started_at REAL,
    finished_at INTEGER,
    estimated_finish INTEGER,
    attempts INTEGER NOT NULL DEFAULT 0,
    fine_tuned_model TEXT,
    result_file TEXT,
    trained_tokens INTEGER,
    error TEXT
);

CREATE INDEX jobs_by_status ON jobs (status);

CREATE TABLE events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    job TEXT NOT NULL REFERENCES jobs (id),
    created_at INTEGER NOT NULL,
    level TEXT NOT NULL,
    type TEXT NOT NULL,
    message TEXT NOT NULL,
    data TEXT
);

CREATE INDEX events_by_job ON events (job, seq);

CREATE TABLE checkpoints (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    job TEXT NOT NULL REFERENCES jobs (id),
    created_at INTEGER NOT NULL,
    model TEXT NOT NULL,
    step INTEGER NOT NULL,
    metrics TEXT NOT NULL
);

CREATE INDEX checkpoints_by_job ON checkpoints (job, seq);

-- `folder` is in the folder of the job. `checkpoint` models are not listed, and are deleted with the model they led to.
CREATE TABLE models (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    base TEXT NOT NULL,
    job TEXT NOT NULL REFERENCES jobs (id),
    folder TEXT NOT NULL,
    checkpoint INTEGER NOT NULL,
    created_at INTEGER NOT NULL
);
