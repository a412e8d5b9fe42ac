//! The smallest WebSocket codec that both ends of the bench need: the load generator reads a million frames a
//! second with it and the raw epoll yardstick answers with it, so it borrows from the read buffer and copies
//! nothing. The field scan below stands in for a JSON parser for the same reason.

/// Opcode of a text frame.
pub const TEXT: u8 = 1;
/// Opcode of a close frame.
pub const CLOSE: u8 = 8;
/// Opcode of a ping frame.
pub const PING: u8 = 9;
/// Opcode of a pong frame.
pub const PONG: u8 = 10;

/// What the first bytes of a frame say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The low four bits of the first byte.
    pub opcode: u8,
    /// The masking key of a frame from a client.
    pub mask: Option<[u8; 4]>,
    /// Where the payload begins.
    pub start: usize,
    /// Where the frame ends.
    pub end: usize,
}

/// Reads the header of the frame at the start of `buf`; `None` while it is not complete.
#[must_use]
pub fn header(buf: &[u8]) -> Option<Header> {
    let (first, second) = (*buf.first()?, *buf.get(1)?);
    let (len, mut start) = match second & 0x7f {
        126 => (usize::from(u16::from_be_bytes(buf.get(2..4)?.try_into().ok()?)), 4),
        127 => (usize::try_from(u64::from_be_bytes(buf.get(2..10)?.try_into().ok()?)).ok()?, 10),
        short => (usize::from(short), 2),
    };
    let mask = if second & 0x80 == 0 {
        None
    } else {
        start += 4;
        Some(buf.get(start - 4..start)?.try_into().ok()?)
    };
    Some(Header { opcode: first & 0x0f, mask, start, end: start.checked_add(len)? })
}

/// Takes the first whole frame off `buf`: its opcode and its payload as it stands there.
pub fn take<'a>(buf: &mut &'a [u8]) -> Option<(Header, &'a [u8])> {
    let head = header(buf)?;
    let payload = buf.get(head.start..head.end)?;
    *buf = &buf[head.end..];
    Some((head, payload))
}

/// Undoes the mask of a client's payload.
pub fn unmask(payload: &mut [u8], mask: [u8; 4]) {
    for (byte, key) in payload.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= key;
    }
}

/// Appends a frame as a server sends it.
pub fn push_server_frame(out: &mut Vec<u8>, opcode: u8, payload: &[u8]) {
    push_head(out, opcode, payload.len(), 0);
    out.extend_from_slice(payload);
}

/// Appends a frame as a client sends it. The masking key is zero, which the protocol allows and which leaves the
/// payload as it is; the server cannot tell and does its own work all the same.
pub fn push_client_frame(out: &mut Vec<u8>, opcode: u8, payload: &[u8]) {
    push_head(out, opcode, payload.len(), 0x80);
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(payload);
}

#[allow(clippy::cast_possible_truncation, reason = "each arm's range fits its type")]
fn push_head(out: &mut Vec<u8>, opcode: u8, len: usize, masked: u8) {
    out.push(0x80 | opcode);
    match len {
        0..=125 => out.push(masked | len as u8),
        126..=0xffff => {
            out.push(masked | 126);
            out.extend_from_slice(&(len as u16).to_be_bytes());
        }
        _ => {
            out.push(masked | 127);
            out.extend_from_slice(&(len as u64).to_be_bytes());
        }
    }
}

/// Where `needle` begins in `text`.
#[must_use]
pub fn find(text: &[u8], needle: &[u8]) -> Option<usize> {
    text.windows(needle.len()).position(|window| window == needle)
}

/// The string that follows `key` (given with its quotes and colon, as in `"id":"`), up to the next quote.
#[must_use]
pub fn field<'a>(text: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    let rest = &text[find(text, key)? + key.len()..];
    let end = rest.iter().position(|byte| *byte == b'"')?;
    Some(&rest[..end])
}

/// The decimal number that `digits` begins with.
#[must_use]
pub fn number(digits: &[u8]) -> Option<usize> {
    let len = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    std::str::from_utf8(&digits[..len]).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_form_comes_back() {
        for len in [0, 1, 125, 126, 127, 65_535, 65_536, 70_000] {
            let payload = vec![b'x'; len];
            let (mut plain, mut masked) = (Vec::new(), Vec::new());
            push_server_frame(&mut plain, TEXT, &payload);
            push_client_frame(&mut masked, PING, &payload);
            let mut rest = plain.as_slice();
            let (head, body) = take(&mut rest).unwrap();
            assert_eq!((head.opcode, head.mask, body.len(), rest.len()), (TEXT, None, len, 0));
            let mut rest = masked.as_slice();
            let (head, body) = take(&mut rest).unwrap();
            assert_eq!(
                (head.opcode, head.mask, body, rest.len()),
                (PING, Some([0; 4]), payload.as_slice(), 0)
            );
        }
    }

    #[test]
    fn a_partial_frame_stays_where_it_is() {
        let mut bytes = Vec::new();
        push_server_frame(&mut bytes, TEXT, &[b'y'; 300]);
        for cut in 0..bytes.len() {
            let mut rest = &bytes[..cut];
            assert_eq!(take(&mut rest), None, "cut at {cut}");
            assert_eq!(rest.len(), cut);
        }
    }

    #[test]
    fn two_frames_in_one_read() {
        let mut bytes = Vec::new();
        push_server_frame(&mut bytes, TEXT, b"one");
        push_server_frame(&mut bytes, CLOSE, b"two");
        let mut rest = bytes.as_slice();
        assert_eq!(take(&mut rest).unwrap().1, b"one");
        assert_eq!(take(&mut rest).unwrap().0.opcode, CLOSE);
        assert!(rest.is_empty());
    }

    #[test]
    fn the_example_of_the_rfc_unmasks() {
        let bytes = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
        let head = header(&bytes).unwrap();
        let mut payload = bytes[head.start..head.end].to_vec();
        unmask(&mut payload, head.mask.unwrap());
        assert_eq!(payload, b"Hello");
    }

    #[test]
    fn a_length_past_the_address_space_is_no_frame() {
        let mut bytes = vec![0x81, 127];
        bytes.extend_from_slice(&u64::MAX.to_be_bytes());
        assert_eq!(header(&bytes), None);
    }

    #[test]
    fn fields_and_numbers() {
        let text = br#"{"type":"res","id":"17","ok":true}"#;
        assert_eq!(field(text, b"\"id\":\""), Some(&b"17"[..]));
        assert_eq!(field(text, b"\"no\":\""), None);
        assert_eq!((number(b"00042x"), number(b"x")), (Some(42), None));
    }
}
