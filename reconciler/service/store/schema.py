"""The tables. `seq` is the order in which things came to be: seconds are too coarse to sort by."""

UPGRADES: dict[int, tuple[str, ...]] = {
    # From the version named to the next one. A new store is made as version 1 and taken through all of them.
    1: (
        "ALTER TABLE files ADD COLUMN expires_at INTEGER",
        "CREATE INDEX files_by_expiry ON files (expires_at) WHERE expires_at IS NOT NULL AND deleted_at IS NULL",
        "CREATE INDEX files_by_purpose ON files (purpose, seq) WHERE deleted_at IS NULL",
        "ALTER TABLE jobs ADD COLUMN pauses INTEGER NOT NULL DEFAULT 0",
        """
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
        )
        """,
        "CREATE INDEX uploads_by_expiry ON uploads (expires_at) WHERE status = 'pending'",
        """
        CREATE TABLE parts (
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            upload TEXT NOT NULL REFERENCES uploads (id),
            size_bytes INTEGER NOT NULL,
            created_at INTEGER NOT NULL
        )
        """,
        "CREATE INDEX parts_by_upload ON parts (upload, seq)",
        """
        CREATE TABLE permissions (
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            checkpoint TEXT NOT NULL,
            project TEXT NOT NULL,
            created_at INTEGER NOT NULL
        )
        """,
        "CREATE INDEX permissions_by_checkpoint ON permissions (checkpoint, seq)",
        # Objects that other people's test suites count on: whatever is done to them, they stay as they are.
        "CREATE TABLE seeds (kind TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (kind, id)) WITHOUT ROWID",
        # What has to be told to the address that asked to be told. Rows come by the trigger below, so that no way in
        # which a job can end is forgotten, and only where somebody listens.
        """
        CREATE TABLE notices (
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            job TEXT NOT NULL REFERENCES jobs (id),
            status TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            tries INTEGER NOT NULL DEFAULT 0,
            due_at INTEGER NOT NULL
        )
        """,
        """
        CREATE TRIGGER job_ended AFTER UPDATE OF status ON jobs
        WHEN NEW.status IN ('succeeded', 'failed', 'cancelled') AND OLD.status <> NEW.status
            AND EXISTS (SELECT 1 FROM about WHERE key = 'webhook')
        BEGIN
            INSERT INTO notices (id, job, status, created_at, due_at)
            VALUES ('evt_' || lower(hex(randomblob(16))), NEW.id, NEW.status, NEW.finished_at, NEW.finished_at);
        END
        """,
    ),
    2: (
        # Jobs that were created through the API of 2021 to 2023: what it says of them beyond what every job has.
        """
        CREATE TABLE fine_tunes (
            job TEXT PRIMARY KEY REFERENCES jobs (id),
            model TEXT NOT NULL,
            prompt_loss_weight REAL NOT NULL,
            classes TEXT,
            hidden INTEGER NOT NULL DEFAULT 0
        ) WITHOUT ROWID
        """,
    ),
}

SCHEMA_VERSION = 1 + len(UPGRADES)

SCHEMA = (
    "CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT NOT NULL)",
    # A deleted file keeps its row, so that a reader who pages while deleting does not lose its place.
    """
    CREATE TABLE files (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        filename TEXT NOT NULL,
        purpose TEXT NOT NULL,
        size_bytes INTEGER NOT NULL,
        created_at INTEGER NOT NULL,
        deleted_at INTEGER
    )
    """,
    """
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
    )
    """,
    "CREATE INDEX jobs_by_status ON jobs (status)",
    """
    CREATE TABLE events (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        job TEXT NOT NULL REFERENCES jobs (id),
        created_at INTEGER NOT NULL,
        level TEXT NOT NULL,
        type TEXT NOT NULL,
        message TEXT NOT NULL,
        data TEXT
    )
    """,
    "CREATE INDEX events_by_job ON events (job, seq)",
    """
    CREATE TABLE checkpoints (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        job TEXT NOT NULL REFERENCES jobs (id),
        created_at INTEGER NOT NULL,
        model TEXT NOT NULL,
        step INTEGER NOT NULL,
        metrics TEXT NOT NULL
    )
    """,
    "CREATE INDEX checkpoints_by_job ON checkpoints (job, seq)",
    # `folder` lies in the folder of the job; `checkpoint` models are not listed, and go with the model they led to.
    """
    CREATE TABLE models (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        base TEXT NOT NULL,
        job TEXT NOT NULL REFERENCES jobs (id),
        folder TEXT NOT NULL,
        checkpoint INTEGER NOT NULL,
        created_at INTEGER NOT NULL
    )
    """,
)
