"""The published JSON Schemas, and documents checked against them with messages of our own."""

from reconciler.specfile.schema.files import kinds, schema, schema_names, schema_text
from reconciler.specfile.schema.validate import find_violation, validate_document

__all__ = ["find_violation", "kinds", "schema", "schema_names", "schema_text", "validate_document"]
