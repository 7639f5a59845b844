"""The rules for rows, one file for each thing they are about."""
