-- Jobs that were created through the API of 2021 to 2023: what it shows of them beyond what every job has.
CREATE TABLE fine_tunes (
    job TEXT PRIMARY KEY REFERENCES jobs (id),
    model TEXT NOT NULL,
    prompt_loss_weight REAL NOT NULL,
    classes TEXT,
    hidden INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
