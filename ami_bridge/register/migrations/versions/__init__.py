"""One file for each version of the schema. A script never changes after its release and imports nothing of ours."""
