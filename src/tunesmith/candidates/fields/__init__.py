"""Models of one field of a record each: what the classical baseline of records is made of."""
