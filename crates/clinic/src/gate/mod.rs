//! See the folder's own words once written.
