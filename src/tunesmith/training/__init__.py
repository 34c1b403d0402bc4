"""A recipe and examples → an adapter: in a child process that follows its folder and writes what happens there."""
