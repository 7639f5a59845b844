"""Small helpers of the standard library that know nothing of models: `git`, `locks`, `stop`, `text`."""
