//! Frames as the server sends them (RFC 6455): never masked, never fragmented. A frame is built once and then only
//! copied or shared, so this writes straight into the buffer that goes to the socket.

use bytes::Bytes;

const TEXT: u8 = 0x81;
const CLOSE: u8 = 0x88;
/// Longest header of a server frame, in bytes.
const HEADER_MAX: usize = 10;

/// A text frame with `payload`.
#[must_use]
pub fn text(payload: &[u8]) -> Bytes {
    let mut out = Vec::with_capacity(HEADER_MAX + payload.len());
    out.extend_from_slice(Header::new(TEXT, payload.len()).bytes());
    out.extend_from_slice(payload);
    out.into()
}

/// Appends a text frame whose payload `write` appends. `about` is the payload's likely length in bytes; a guess in
/// the wrong class of header size costs one move of the payload, nothing else.
pub fn append_text(out: &mut Vec<u8>, about: usize, write: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    let guess = Header::new(TEXT, about);
    out.extend_from_slice(guess.bytes());
    let begin = out.len();
    write(out);
    let header = Header::new(TEXT, out.len() - begin);
    if header.len == guess.len {
        out[start..begin].copy_from_slice(header.bytes());
    } else {
        out.splice(start..begin, header.bytes().iter().copied());
    }
}

/// A close frame. The reason is cut so that the payload keeps to 125 bytes.
#[must_use]
pub fn close(code: u16, reason: &str) -> Bytes {
    let reason = if reason.is_empty() { "" } else { gateway_wire::limits::close_reason(reason) };
    let mut out = Vec::with_capacity(4 + reason.len());
    out.extend_from_slice(Header::new(CLOSE, 2 + reason.len()).bytes());
    out.extend_from_slice(&code.to_be_bytes());
    out.extend_from_slice(reason.as_bytes());
    out.into()
}

/// The header of a frame.
struct Header {
    bytes: [u8; HEADER_MAX],
    len: usize,
}

impl Header {
    fn new(first: u8, payload: usize) -> Self {
        let mut bytes = [0; HEADER_MAX];
        bytes[0] = first;
        let len = match (u8::try_from(payload), u16::try_from(payload)) {
            (Ok(short @ 0..=125), _) => {
                bytes[1] = short;
                2
            }
            (_, Ok(medium)) => {
                bytes[1] = 126;
                bytes[2..4].copy_from_slice(&medium.to_be_bytes());
                4
            }
            _ => {
                bytes[1] = 127;
                bytes[2..].copy_from_slice(&(payload as u64).to_be_bytes());
                HEADER_MAX
            }
        };
        Self { bytes, len }
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn appended(about: usize, payload: &[u8]) -> Vec<u8> {
        let mut out = b"before".to_vec();
        append_text(&mut out, about, |out| out.extend_from_slice(payload));
        out.split_off(6)
    }

    #[test]
    fn every_header_size_and_every_wrong_guess_gives_the_same_frame() {
        for len in [0, 1, 125, 126, 127, 65535, 65536, 70000] {
            let payload = vec![b'x'; len];
            let right = text(&payload);
            for about in [0, 200, 100_000] {
                assert_eq!(appended(about, &payload), right, "length {len}, guess {about}");
            }
        }
    }

    #[test]
    fn headers_are_minimal() {
        assert_eq!(&text(&[b'x'; 125])[..2], [0x81, 125]);
        assert_eq!(&text(&[b'x'; 126])[..4], [0x81, 126, 0, 126]);
        assert_eq!(&text(&[b'x'; 65536])[..10], [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]);
    }

    #[test]
    fn a_close_frame_keeps_to_its_limit() {
        let frame = close(1008, &"é".repeat(100));
        assert_eq!(frame[0], 0x88);
        assert_eq!(usize::from(frame[1]), frame.len() - 2);
        assert!(frame.len() <= 2 + 2 + 120);
        assert!(std::str::from_utf8(&frame[4..]).is_ok());
        assert_eq!(&close(1000, "")[..], [0x88, 2, 0x03, 0xe8]);
    }
}
