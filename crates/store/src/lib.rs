//! The log: one ordered, hash-chained record on SQLite or PostgreSQL. The only crate that knows SQL.
