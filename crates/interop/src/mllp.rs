//! MLLP framing: `0x0B`, the message, `0x1C 0x0D`.
//!
//! The end needs both bytes. A lone `0x1C` followed by anything else breaks the frame instead of ending it: a
//! flipped bit must not turn half a message into a whole one.

/// Largest message taken, in bytes. A device report has some kilobytes.
pub const LIMIT: usize = 1024 * 1024;

const START: u8 = 0x0B;
const END: u8 = 0x1C;
const RETURN: u8 = 0x0D;
const LINE_FEED: u8 = 0x0A;

/// Why a frame never became a message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// A new start, or the end of the connection, came before the end of the frame.
    #[error("the frame was cut after {bytes} bytes")]
    Cut {
        /// Bytes of the message that had come.
        bytes: usize,
    },
    /// `0x1C` without `0x0D` behind it.
    #[error("the frame of {bytes} bytes ends with 1C but no 0D follows")]
    HalfEnd {
        /// Bytes of the message that had come.
        bytes: usize,
    },
    /// More bytes than [`LIMIT`]; the rest is skipped up to the next start.
    #[error("the frame is longer than {limit} bytes")]
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Between,
    Inside,
    AfterEnd,
}

/// Cuts a stream of bytes into messages. Holds at most one message of at most [`LIMIT`] bytes.
#[derive(Debug)]
pub struct Framer {
    state: State,
    message: Vec<u8>,
    garbage: u64,
}

impl Default for Framer {
    fn default() -> Self {
        Self::new()
    }
}

impl Framer {
    /// Before the first byte of a connection.
    pub fn new() -> Self {
        Self { state: State::Between, message: Vec::new(), garbage: 0 }
    }

    /// Bytes seen outside of any frame so far, line ends not counted.
    pub fn garbage(&self) -> u64 {
        self.garbage
    }

    /// Takes the next bytes, in pieces of any size, and returns each message that they complete, in order,
    /// without its framing; a broken frame is an error in its place.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Result<Vec<u8>, FrameError>> {
        bytes.iter().filter_map(|byte| self.step(*byte)).collect()
    }

    /// The connection ended: what is left inside is a cut frame.
    pub fn finish(&mut self) -> Option<FrameError> {
        let was = std::mem::replace(&mut self.state, State::Between);
        let bytes = std::mem::take(&mut self.message).len();
        (was != State::Between).then_some(FrameError::Cut { bytes })
    }

    fn step(&mut self, byte: u8) -> Option<Result<Vec<u8>, FrameError>> {
        match (self.state, byte) {
            (State::Between, START) => {
                self.state = State::Inside;
                None
            }
            (State::Between, RETURN | LINE_FEED) => None,
            (State::Between, _) => {
                self.garbage = self.garbage.saturating_add(1);
                None
            }
            (State::Inside, START) => {
                let bytes = std::mem::take(&mut self.message).len();
                (bytes > 0).then_some(Err(FrameError::Cut { bytes }))
            }
            (State::Inside, END) => {
                self.state = State::AfterEnd;
                None
            }
            (State::Inside, _) if self.message.len() >= LIMIT => {
                Some(self.broken(FrameError::TooLarge { limit: LIMIT }))
            }
            (State::Inside, _) => {
                self.message.push(byte);
                None
            }
            (State::AfterEnd, RETURN) => {
                self.state = State::Between;
                Some(Ok(std::mem::take(&mut self.message)))
            }
            (State::AfterEnd, _) => {
                let error = self.broken(FrameError::HalfEnd { bytes: self.message.len() });
                let _nothing_between = self.step(byte);
                Some(error)
            }
        }
    }

    fn broken(&mut self, error: FrameError) -> Result<Vec<u8>, FrameError> {
        self.state = State::Between;
        self.message = Vec::new();
        Err(error)
    }
}

/// A message in its frame.
pub fn wrap(message: &[u8]) -> Vec<u8> {
    let mut framed = Vec::with_capacity(message.len() + 3);
    framed.push(START);
    framed.extend_from_slice(message);
    framed.extend_from_slice(&[END, RETURN]);
    framed
}

/// Whether these bytes begin as a frame does.
pub fn is_framed(bytes: &[u8]) -> bool {
    bytes.first() == Some(&START)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(bytes: &[u8]) -> Vec<Result<Vec<u8>, FrameError>> {
        Framer::new().feed(bytes)
    }

    #[test]
    fn coalesced_frames_come_out_in_order() {
        let stream = [wrap(b"one"), wrap(b"two")].concat();
        assert_eq!(all(&stream), [Ok(b"one".to_vec()), Ok(b"two".to_vec())]);
    }

    #[test]
    fn garbage_between_frames_is_counted_and_line_ends_are_not() {
        let mut framer = Framer::new();
        let stream = [b"GET /".as_slice(), &wrap(b"one"), b"\r\nxx", &wrap(b"two")].concat();
        assert_eq!(framer.feed(&stream).len(), 2);
        assert_eq!(framer.garbage(), 7);
    }

    #[test]
    fn a_new_start_tells_that_the_frame_before_was_cut() {
        let stream = [b"\x0bhalf".as_slice(), &wrap(b"whole")].concat();
        assert_eq!(all(&stream), [Err(FrameError::Cut { bytes: 4 }), Ok(b"whole".to_vec())]);
        let stream = [b"\x0b".as_slice(), &wrap(b"whole")].concat();
        assert_eq!(all(&stream), [Ok(b"whole".to_vec())], "a doubled start cuts nothing");
    }

    #[test]
    fn one_end_byte_does_not_end_a_message() {
        let stream = [b"\x0bhalf\x1cmore\x1c\x0d".as_slice(), &wrap(b"whole")].concat();
        assert_eq!(all(&stream), [Err(FrameError::HalfEnd { bytes: 4 }), Ok(b"whole".to_vec())]);
        assert_eq!(all(b"\x0bhalf\x1c\x0a"), [Err(FrameError::HalfEnd { bytes: 4 })]);
        let stream = [b"\x0bhalf\x1c".as_slice(), &wrap(b"whole")].concat();
        assert_eq!(all(&stream), [Err(FrameError::HalfEnd { bytes: 4 }), Ok(b"whole".to_vec())]);
    }

    #[test]
    fn a_huge_frame_is_refused_and_the_next_one_served() {
        let mut framer = Framer::new();
        let mut results = framer.feed(b"\x0b");
        for _ in 0..40 {
            results.extend(framer.feed(&vec![b'a'; 64 * 1024]));
            assert!(framer.message.capacity() <= 2 * LIMIT);
        }
        results.extend(framer.feed(b"\x1c\x0d"));
        results.extend(framer.feed(&wrap(b"next")));
        assert_eq!(results, [Err(FrameError::TooLarge { limit: LIMIT }), Ok(b"next".to_vec())]);
    }

    #[test]
    fn a_message_of_just_the_limit_passes() {
        // The figure of the interface description, not the constant: a limit that grows is a limit to talk about.
        let limit = 1024 * 1024;
        let message = vec![b'a'; limit];
        assert!(all(&wrap(&message)) == [Ok(message)]);
        let longer = vec![b'a'; limit + 1];
        assert!(all(&wrap(&longer)) == [Err(FrameError::TooLarge { limit })]);
    }

    #[test]
    fn the_end_of_the_connection_inside_a_frame_is_a_cut() {
        let mut framer = Framer::new();
        assert!(framer.feed(b"\x0bhalf").is_empty());
        assert_eq!(framer.finish(), Some(FrameError::Cut { bytes: 4 }));
        assert_eq!(framer.finish(), None);
    }

    proptest! {
        #[test]
        fn the_cut_of_the_stream_into_reads_does_not_matter(
            stream in prop::collection::vec(prop::sample::select(vec![0x0Bu8, 0x1C, 0x0D, 0x0A, b'a', b'b']), 0..60),
            cut in 1_usize..7,
        ) {
            let mut framer = Framer::new();
            let pieces: Vec<_> = stream.chunks(cut).flat_map(|piece| framer.feed(piece)).collect();
            prop_assert_eq!(pieces, all(&stream));
        }
    }
}
