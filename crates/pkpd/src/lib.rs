//! Compartment models: exact simulation of one person or of many. Numbers in, numbers out.
