"""What can be asked, one file a subject: the facts of each answer, read from the record."""
