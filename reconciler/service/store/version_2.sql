ALTER TABLE files ADD COLUMN expires_at INTEGER;

CREATE INDEX files_by_expiry ON files (expires_at) WHERE expires_at IS NOT NULL AND deleted_at IS NULL;

CREATE INDEX files_by_purpose ON files (purpose, seq) WHERE deleted_at IS NULL;

ALTER TABLE jobs ADD COLUMN pauses INTEGER NOT NULL DEFAULT 0;

CREATE TABLE uploads (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    filename TEXT NOT NULL,
    purpose TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    lives_seconds INTEGER,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    status TEXT NOT NULL,
    file TEXT
);

CREATE INDEX uploads_by_expiry ON uploads (expires_at) WHERE status = 'pending';

CREATE TABLE parts (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    upload TEXT NOT NULL REFERENCES uploads (id),
    size_bytes INTEGER NOT NULL,
    created_at INTEGER NOT NULL
);

CREATE INDEX parts_by_upload ON parts (upload, seq);

CREATE TABLE permissions (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    checkpoint TEXT NOT NULL,
    project TEXT NOT NULL,
    created_at INTEGER NOT NULL
);

CREATE INDEX permissions_by_checkpoint ON permissions (checkpoint, seq);

-- Objects that other projects' test suites rely on: whatever is done to them, they stay as they are.
CREATE TABLE seeds (kind TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (kind, id)) WITHOUT ROWID;

-- What is still to be sent to the webhook. The trigger below adds the rows, so that no way in which a job can end is
-- forgotten, and only while a webhook is set.
CREATE TABLE notices (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    job TEXT NOT NULL REFERENCES jobs (id),
    status TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    due_at INTEGER NOT NULL
);

CREATE TRIGGER job_ended AFTER UPDATE OF status ON jobs
WHEN NEW.status IN ('succeeded', 'failed', 'cancelled') AND OLD.status <> NEW.status
    AND EXISTS (SELECT 1 FROM about WHERE key = 'webhook')
BEGIN
    INSERT INTO notices (id, job, status, created_at, due_at)
    VALUES ('evt_' || lower(hex(randomblob(16))), NEW.id, NEW.status, NEW.finished_at, NEW.finished_at);
END;
