"""The migration scripts of the register. They ship with the program; ``schema.upgrade`` runs them."""
