//! The AWS files: where they are, how they are read, and what kinds of profile they hold.
