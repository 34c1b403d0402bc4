"""What rows lie in: files of lines, tables, workbooks, data sets, folders; apart from how a row is laid out."""
