"""Use cases, one a file. Each is handed its spool, vault, register and clock."""
