//! How people and machines read what the tool found and did.
