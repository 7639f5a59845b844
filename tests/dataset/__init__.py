"""The dataset room: rows on disk become canonical lines, digests and problems."""
