//! A collector of traces: OTLP over HTTP in Protocol Buffers, read by the field numbers of
//! <https://github.com/open-telemetry/opentelemetry-proto>.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};

/// A span as the collector got it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Span {
    /// `service.name` of its process.
    pub service: String,
    /// In hexadecimal digits.
    pub trace_id: String,
    /// In hexadecimal digits.
    pub span_id: String,
    /// In hexadecimal digits; empty without one.
    pub parent: String,
    /// Its name.
    pub name: String,
    /// 2: a server's, 3: a client's.
    pub kind: u64,
    /// Nanoseconds since 1970.
    pub began: u64,
    /// Nanoseconds since 1970.
    pub ended: u64,
    /// Its attributes, numbers as text.
    pub attributes: BTreeMap<String, String>,
    /// Whether it failed.
    pub is_failure: bool,
}

#[derive(Default)]
struct State {
    heads: Vec<String>,
    bodies: Vec<Vec<u8>>,
}

/// A collector on a port of its own.
pub struct OtlpReceiver {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    accepting: JoinHandle<()>,
}

impl OtlpReceiver {
    /// Listens on a free port, and takes everything.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it listens");
        let state = Arc::<Mutex<State>>::default();
        Self {
            address,
            accepting: tokio::spawn(accept(listener, Arc::clone(&state))),
            state,
        }
    }

    /// Its address, without a path.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The heads of the requests so far.
    pub fn heads(&self) -> Vec<String> {
        locked(&self.state).heads.clone()
    }

    /// The bodies of the requests so far, as they came.
    pub fn bodies(&self) -> Vec<Vec<u8>> {
        locked(&self.state).bodies.clone()
    }

    /// All spans so far.
    pub fn spans(&self) -> Vec<Span> {
        let bodies = self.bodies();
        bodies.iter().flat_map(|body| spans(body)).collect()
    }
}

impl Drop for OtlpReceiver {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn accept(listener: TcpListener, state: Arc<Mutex<State>>) {
    // They end with the receiver.
    let mut serving = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        serving.spawn(serve(client, Arc::clone(&state)));
    }
}

/// Takes requests until the sender goes.
async fn serve(mut client: TcpStream, state: Arc<Mutex<State>>) -> Option<()> {
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(client.read_u8().await.ok()?);
        }
        let head = String::from_utf8(head).expect("a head is text");
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        let length = length.expect("a length").parse().expect("a number");
        let mut body = vec![0; length];
        client.read_exact(&mut body).await.ok()?;
        keep(&state, head, body);
        let answer =
            b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n";
        client.write_all(answer).await.ok()?;
    }
}

fn keep(state: &Mutex<State>, head: String, body: Vec<u8>) {
    let mut state = locked(state);
    state.heads.push(head);
    state.bodies.push(body);
}

/// A field's value: a number, or bytes.
enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// The fields of a message, each with its number.
fn fields(mut message: &[u8]) -> Vec<(u64, Value<'_>)> {
    let mut fields = Vec::new();
    while !message.is_empty() {
        let tag = varint(&mut message);
        let value = match tag & 7 {
            0 => Value::Number(varint(&mut message)),
            1 => {
                let (value, rest) = message.split_at(8);
                message = rest;
                Value::Number(u64::from_le_bytes(value.try_into().expect("eight bytes")))
            }
            2 => {
                let length = varint(&mut message);
                let (value, rest) = message.split_at(length.try_into().expect("it fits"));
                message = rest;
                Value::Bytes(value)
            }
            other => panic!("a field of wire type {other}"),
        };
        fields.push((tag >> 3, value));
    }
    fields
}

fn varint(message: &mut &[u8]) -> u64 {
    let mut value = 0;
    for place in 0..10 {
        let (byte, rest) = message.split_first().expect("a number ends");
        *message = rest;
        value |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return value;
        }
    }
    panic!("a number of more than ten bytes");
}

/// The messages in this field.
fn messages(message: &[u8], number: u64) -> impl Iterator<Item = &[u8]> {
    let fields = fields(message).into_iter();
    fields.filter_map(move |field| match field {
        (found, Value::Bytes(bytes)) if found == number => Some(bytes),
        _ => None,
    })
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("it is text")
}

fn hexadecimal(bytes: &[u8]) -> String {
    let mut digits = String::new();
    for byte in bytes {
        write!(digits, "{byte:02x}").expect("a text takes it");
    }
    digits
}

/// The spans of an `ExportTraceServiceRequest`.
fn spans(request: &[u8]) -> Vec<Span> {
    let mut spans = Vec::new();
    for resource_spans in messages(request, 1) {
        let resource = messages(resource_spans, 1).next().expect("a resource");
        let resource = attributes(resource, 1);
        for scope_spans in messages(resource_spans, 2) {
            spans.extend(messages(scope_spans, 2).map(|span| Span {
                service: resource["service.name"].clone(),
                ..span_of(span)
            }));
        }
    }
    spans
}

fn span_of(message: &[u8]) -> Span {
    let mut span = Span {
        attributes: attributes(message, 9),
        ..Span::default()
    };
    for field in fields(message) {
        match field {
            (1, Value::Bytes(id)) => span.trace_id = hexadecimal(id),
            (2, Value::Bytes(id)) => span.span_id = hexadecimal(id),
            (4, Value::Bytes(id)) => span.parent = hexadecimal(id),
            (5, Value::Bytes(name)) => span.name = text(name),
            (6, Value::Number(kind)) => span.kind = kind,
            (7, Value::Number(began)) => span.began = began,
            (8, Value::Number(ended)) => span.ended = ended,
            (15, Value::Bytes(status)) => {
                let status = fields(status);
                span.is_failure = matches!(status[..], [(3, Value::Number(2))]);
            }
            _ => {}
        }
    }
    span
}

fn attributes(message: &[u8], number: u64) -> BTreeMap<String, String> {
    let pairs = messages(message, number).map(|pair| {
        let key = text(messages(pair, 1).next().expect("a key"));
        let value = messages(pair, 2).next().expect("a value");
        let value = match fields(value).pop() {
            Some((1, Value::Bytes(value))) => text(value),
            Some((3, Value::Number(value))) => value.to_string(),
            _ => panic!("{key} is neither text nor a number"),
        };
        (key, value)
    });
    pairs.collect()
}
