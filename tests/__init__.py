"""The same rooms again, plus stories, contract and golden files."""
