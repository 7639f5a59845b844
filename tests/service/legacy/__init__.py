"""The API of 2021 to 2023."""
