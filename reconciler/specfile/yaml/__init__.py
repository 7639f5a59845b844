"""Strict YAML 1.2: text in, plain data with the place of every key out. Knows no kind of document."""

from reconciler.specfile.yaml.composer import YamlFile, read_yaml
from reconciler.specfile.yaml.document import Document, Path, Plain, dotted_path, read_fields

__all__ = ["Document", "Path", "Plain", "YamlFile", "dotted_path", "read_fields", "read_yaml"]
