"""The dialect of 2021 to 2023, `/fine-tunes`: one folder, and nothing outside it knows its paths or its JSON."""
