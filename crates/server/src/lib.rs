//! The outside world: pages, sockets, clock and command line.
