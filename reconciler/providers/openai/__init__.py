"""The OpenAI dialect: one folder, and nothing outside it knows its paths or its JSON."""
