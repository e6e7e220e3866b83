//! Parses the command line, runs one command, prints at most one error line, and turns the outcome into an exit code.

fn main() {}
