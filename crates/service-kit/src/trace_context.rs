//! Which trace a request belongs to, as [W3C Trace Context](https://www.w3.org/TR/trace-context/)
//! passes it on in the header `traceparent`.

use std::fmt;

/// The header that carries it.
pub const TRACEPARENT: &str = "traceparent";

/// How long the header is in the version that this one writes, in bytes.
const LENGTH: usize = 55;

/// A span, and the trace that it is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceContext {
    /// Random; not all zero.
    pub(crate) trace_id: [u8; 16],
    /// Random; not all zero.
    pub(crate) span_id: [u8; 8],
    /// Whether the trace is recorded. All services keep to what the first one decided.
    pub(crate) is_sampled: bool,
}

impl TraceContext {
    /// Reads the header. `None` for anything that the standard says is to be ignored.
    pub(crate) fn parse(header: &[u8]) -> Option<Self> {
        let (head, rest) = header.split_at_checked(LENGTH)?;
        let is_separated = [2, 35, 52].into_iter().all(|place| head[place] == b'-');
        let [version] = bytes::<1>(&head[..2])?;
        // Later versions may add members behind another separator.
        let is_known = match version {
            0 => rest.is_empty(),
            0xff => false,
            _ => rest.is_empty() || rest.starts_with(b"-"),
        };
        let (trace_id, span_id) = (bytes(&head[3..35])?, bytes(&head[36..52])?);
        let [flags] = bytes::<1>(&head[53..])?;
        let is_valid = is_separated && is_known && trace_id != [0; 16] && span_id != [0; 8];
        is_valid.then_some(Self {
            trace_id,
            span_id,
            is_sampled: flags & 1 == 1,
        })
    }
}

impl fmt::Display for TraceContext {
    /// As in the header.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "00-{:032x}-{:016x}-{:02x}",
            u128::from_be_bytes(self.trace_id),
            u64::from_be_bytes(self.span_id),
            u8::from(self.is_sampled)
        )
    }
}

/// Lower-case hexadecimal digits, two a byte.
fn bytes<const COUNT: usize>(digits: &[u8]) -> Option<[u8; COUNT]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; COUNT];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn the_header_is_read_back() {
        let read = TraceContext::parse(HEADER.as_bytes()).unwrap();
        assert!(read.is_sampled);
        assert_eq!(read.to_string(), HEADER);
        let unsampled = HEADER.replace("-01", "-00");
        let read = TraceContext::parse(unsampled.as_bytes()).unwrap();
        assert_eq!((read.is_sampled, read.to_string()), (false, unsampled));
        let later = format!("{}-more", HEADER.replace("00-4", "cc-4"));
        assert!(TraceContext::parse(later.as_bytes()).is_some());
    }

    #[test]
    fn whatever_is_no_such_header_is_ignored() {
        for other in [
            "",
            "00",
            &HEADER[1..],
            &format!("{HEADER}-more"),
            &HEADER.to_uppercase(),
            &HEADER.replace("00-4", "ff-4"),
            &HEADER.replace('-', "_"),
            &HEADER.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32)),
            &HEADER.replace("00f067aa0ba902b7", &"0".repeat(16)),
            &HEADER.replace("4bf9", "4bg9"),
            &"ä".repeat(28),
        ] {
            assert_eq!(TraceContext::parse(other.as_bytes()), None, "{other}");
        }
    }
}
