"""All SQL of Ponte: the schema, its migrations and one module of plain functions per subject."""
