"""The API of 2021 to 2023, `/v1/fine-tunes`, over the same jobs, files, models and worker."""
