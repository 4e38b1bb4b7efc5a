//! Spans as the collector reads them: an `ExportTraceServiceRequest` in Protocol Buffers, as
//! [opentelemetry-proto](https://github.com/open-telemetry/opentelemetry-proto/tree/v1.9.0/opentelemetry/proto)
//! defines it. Fields are stable there: numbers keep their meaning.

use super::span::{Attribute, Kind, Span};

/// What made the spans, beside the service's name.
const SCOPE: &str = "wechat-login";

/// What all spans of a process have in common.
pub(crate) struct Resource {
    /// `service.name` and the like.
    pub(crate) attributes: Vec<(&'static str, Attribute)>,
}

/// The body of a request with these spans.
pub(crate) fn request(resource: &Resource, spans: &[Span]) -> Vec<u8> {
    let mut out = Vec::with_capacity(256 * (spans.len() + 1));
    nested(&mut out, 1, |resource_spans| {
        nested(resource_spans, 1, |out| {
            attributes(out, 1, &resource.attributes);
        });
        nested(resource_spans, 2, |scope_spans| {
            nested(scope_spans, 1, |scope| {
                bytes(scope, 1, SCOPE.as_bytes());
                bytes(scope, 2, env!("CARGO_PKG_VERSION").as_bytes());
            });
            for span in spans {
                nested(scope_spans, 2, |out| write(out, span));
            }
        });
    });
    out
}

fn write(out: &mut Vec<u8>, span: &Span) {
    bytes(out, 1, &span.context.trace_id);
    bytes(out, 2, &span.context.span_id);
    if let Some(parent) = &span.parent {
        bytes(out, 4, parent);
    }
    bytes(out, 5, span.name.as_bytes());
    let kind = match span.kind {
        Kind::Server => 2,
        Kind::Client => 3,
    };
    number(out, 6, kind);
    fixed(out, 7, span.began);
    fixed(out, 8, span.ended);
    attributes(out, 9, &span.attributes);
    if span.is_failure {
        // STATUS_CODE_ERROR
        nested(out, 15, |status| number(status, 3, 2));
    }
}

fn attributes(out: &mut Vec<u8>, field: u8, attributes: &[(&'static str, Attribute)]) {
    for (key, value) in attributes {
        nested(out, field, |pair| {
            bytes(pair, 1, key.as_bytes());
            nested(pair, 2, |any| match value {
                Attribute::Text(text) => bytes(any, 1, text.as_bytes()),
                Attribute::Number(value) => number(any, 3, value.cast_unsigned()),
            });
        });
    }
}

/// The field numbers here are below 16: a tag is a byte.
const VARINT: u8 = 0;
const FIXED64: u8 = 1;
const LENGTH_DELIMITED: u8 = 2;

fn number(out: &mut Vec<u8>, field: u8, value: u64) {
    out.push(field << 3 | VARINT);
    varint(out, value);
}

fn fixed(out: &mut Vec<u8>, field: u8, value: u64) {
    out.push(field << 3 | FIXED64);
    out.extend_from_slice(&value.to_le_bytes());
}

fn bytes(out: &mut Vec<u8>, field: u8, value: &[u8]) {
    out.push(field << 3 | LENGTH_DELIMITED);
    varint(out, value.len() as u64);
    out.extend_from_slice(value);
}

fn nested(out: &mut Vec<u8>, field: u8, write: impl FnOnce(&mut Vec<u8>)) {
    let mut inner = Vec::new();
    write(&mut inner);
    bytes(out, field, &inner);
}

/// Seven bits a byte, the lowest first; all bytes but the last have the highest bit.
fn varint(out: &mut Vec<u8>, mut value: u64) {
    loop {
        let [low, ..] = value.to_le_bytes();
        value >>= 7;
        if value == 0 {
            out.push(low & 0x7f);
            return;
        }
        out.push(low | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_seven_bits_at_a_time() {
        for (value, expected) in [
            (0, &[0][..]),
            (127, &[0x7f]),
            (128, &[0x80, 1]),
            (300, &[0xac, 2]),
            (
                u64::MAX,
                &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1],
            ),
        ] {
            let mut out = Vec::new();
            varint(&mut out, value);
            assert_eq!(out, expected, "{value}");
        }
    }
}
