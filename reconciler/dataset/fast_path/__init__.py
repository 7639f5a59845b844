"""The fast lane: whole blocks of plain JSON Lines at a time. Beside the general rules, and never other than they."""
