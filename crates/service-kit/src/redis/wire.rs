//! What goes over a connection to Redis: commands, and replies as the protocol's steps read them
//! (RESP 2,
//! <https://redis.io/docs/latest/develop/reference/protocol-spec/>).

use std::str;

use deadpool_redis::redis::{ErrorKind, RedisError, Value, parse_redis_value};
use login_protocol::steps::Operation;

use super::Scripts;

/// A reply's elements in order, a nil as `None`. A single value is a list of one.
pub(super) type Reply = Vec<Option<String>>;

/// The most elements that any reply of ours has, and many more: what says that it has more is no
/// reply.
const MOST_ELEMENTS: usize = 100_000;

/// Adds a command.
pub(super) fn write_words(out: &mut Vec<u8>, words: &[&str]) {
    write_length(out, b'*', words.len());
    for word in words {
        write_word(out, word);
    }
}

/// Adds an operation.
pub(super) fn write_operation(out: &mut Vec<u8>, operation: &Operation, scripts: Scripts) {
    let arguments = match operation {
        Operation::Command {
            name,
            key,
            arguments,
        } => {
            write_length(out, b'*', 2 + arguments.len());
            write_word(out, name);
            write_word(out, key);
            arguments
        }
        Operation::Script {
            script,
            key,
            arguments,
        } => {
            write_length(out, b'*', 4 + arguments.len());
            let (name, script) = match scripts {
                Scripts::ByName => ("EVALSHA", script.sha1()),
                Scripts::InFull => ("EVAL", script.source()),
            };
            for word in [name, script, "1", key] {
                write_word(out, word);
            }
            arguments
        }
    };
    for argument in arguments {
        write_word(out, argument);
    }
}

fn write_word(out: &mut Vec<u8>, word: &str) {
    write_length(out, b'$', word.len());
    out.extend_from_slice(word.as_bytes());
    out.extend_from_slice(b"\r\n");
}

fn write_length(out: &mut Vec<u8>, kind: u8, length: usize) {
    out.push(kind);
    // Formatting would take five times as long, for two numbers a word.
    let mut digits = [0; 20];
    let mut begin = digits.len();
    let mut rest = length;
    while begin == digits.len() || rest > 0 {
        begin -= 1;
        digits[begin] = b"0123456789"[rest % 10];
        rest /= 10;
    }
    out.extend_from_slice(&digits[begin..]);
    out.extend_from_slice(b"\r\n");
}

/// A reply at the beginning of what was received, and how many bytes it has; `None` until all of it
/// is there.
///
/// # Errors
///
/// What was received is no reply: nothing that follows can be understood.
pub(super) fn read(received: &[u8]) -> Result<Option<(RedisReply, usize)>, RedisError> {
    let mut reader = Reader { received, at: 0 };
    let reply = reader.reply()?;
    Ok(reply.map(|reply| (reply, reader.at)))
}

/// What Redis says to a command: a reply, or a refusal.
pub(super) type RedisReply = Result<Reply, RedisError>;

struct Reader<'a> {
    received: &'a [u8],
    at: usize,
}

/// A value that is no list.
enum Single {
    Text(Option<String>),
    Refusal(RedisError),
}

impl<'a> Reader<'a> {
    fn reply(&mut self) -> Result<Option<RedisReply>, RedisError> {
        if self.received.get(self.at) != Some(&b'*') {
            return Ok(self.single()?.map(|single| match single {
                Single::Text(text) => Ok(vec![text]),
                Single::Refusal(error) => Err(error),
            }));
        }
        let Some(line) = self.line() else {
            return Ok(None);
        };
        let Some(count) = length(&line[1..])? else {
            return Ok(Some(Ok(vec![None])));
        };
        if count > MOST_ELEMENTS {
            return Err(no_reply());
        }
        let mut texts = Vec::with_capacity(count.min(16));
        let mut refusal = None;
        for _ in 0..count {
            match self.single()? {
                None => return Ok(None),
                Some(Single::Text(text)) => texts.push(text),
                Some(Single::Refusal(error)) => refusal = refusal.or(Some(error)),
            }
        }
        Ok(Some(refusal.map_or(Ok(texts), Err)))
    }

    fn single(&mut self) -> Result<Option<Single>, RedisError> {
        let begin = self.at;
        let Some(line) = self.line() else {
            return Ok(None);
        };
        let [kind, said @ ..] = line else {
            return Err(no_reply());
        };
        match kind {
            b'+' | b':' => Ok(Some(text(said))),
            // Its words are the redis crate's to understand.
            b'-' => match parse_redis_value(&self.received[begin..self.at])? {
                Value::ServerError(error) => Ok(Some(Single::Refusal(error.into()))),
                _ => Err(no_reply()),
            },
            b'$' => {
                let Some(length) = length(said)? else {
                    return Ok(Some(Single::Text(None)));
                };
                let rest = &self.received[self.at..];
                let Some(whole) = length.checked_add(2).and_then(|whole| rest.get(..whole)) else {
                    return Ok(None);
                };
                self.at += whole.len();
                Ok(Some(text(&whole[..length])))
            }
            _ => Err(no_reply()),
        }
    }

    /// The next line without its end.
    fn line(&mut self) -> Option<&'a [u8]> {
        let rest = &self.received[self.at..];
        let length = rest.iter().position(|byte| *byte == b'\r')?;
        rest.get(length + 1)?;
        self.at += length + 2;
        Some(&rest[..length])
    }
}

/// `None` for a nil.
fn length(digits: &[u8]) -> Result<Option<usize>, RedisError> {
    if digits == b"-1" {
        return Ok(None);
    }
    let digits = str::from_utf8(digits).ok();
    let length = digits.and_then(|digits| digits.parse().ok());
    length.map(Some).ok_or_else(no_reply)
}

/// What is no text was written by somebody else, and refused to whoever asks for it.
fn text(bytes: &[u8]) -> Single {
    match str::from_utf8(bytes) {
        Ok(text) => Single::Text(Some(text.to_owned())),
        Err(_) => Single::Refusal(RedisError::from((ErrorKind::Parse, "a value is no text"))),
    }
}

fn no_reply() -> RedisError {
    RedisError::from((ErrorKind::Parse, "Redis sent what is no reply"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_written_as_redis_reads_them() {
        let mut out = Vec::new();
        write_words(&mut out, &["SET", "", "twelve bytes"]);
        assert_eq!(out, b"*3\r\n$3\r\nSET\r\n$0\r\n\r\n$12\r\ntwelve bytes\r\n");
    }

    #[test]
    fn a_reply_is_read_when_all_of_it_is_there() {
        let some = |text: &str| Some(text.to_owned());
        for (received, expected) in [
            ("+OK\r\n", vec![some("OK")]),
            (":17\r\n", vec![some("17")]),
            ("$-1\r\n", vec![None]),
            ("$0\r\n\r\n", vec![some("")]),
            ("$4\r\na\r\nb\r\n", vec![some("a\r\nb")]),
            ("*-1\r\n", vec![None]),
            ("*0\r\n", vec![]),
            (
                "*4\r\n$2\r\nhi\r\n$-1\r\n:-5\r\n+x\r\n",
                vec![some("hi"), None, some("-5"), some("x")],
            ),
        ] {
            for end in 0..received.len() {
                let part = read(&received.as_bytes()[..end]);
                assert!(part.unwrap().is_none(), "{received:?} to {end}");
            }
            let followed = format!("{received}+more\r\n");
            let (reply, length) = read(followed.as_bytes()).unwrap().unwrap();
            assert_eq!(length, received.len(), "{received:?}");
            assert_eq!(reply.unwrap(), expected, "{received:?}");
        }
    }

    #[test]
    fn a_refusal_keeps_its_words() {
        let (reply, _) = read(b"-NOSCRIPT No matching script.\r\n").unwrap().unwrap();
        let error = reply.unwrap_err();
        assert!(crate::redis::is_unknown_script(&error), "{error}");
        let within = read(b"*2\r\n-ERR one\r\n+two\r\n").unwrap().unwrap();
        assert!(within.0.unwrap_err().to_string().contains("one"));
        assert_eq!(within.1, 20);
    }

    #[test]
    fn what_is_no_reply_ends_the_conversation() {
        for received in [
            "\r\n",
            "HTTP/1.1 400\r\n",
            "$x\r\n",
            "$-2\r\n",
            "*99999999999999999999\r\n",
            "*100001\r\n",
            "*1\r\n*0\r\n",
        ] {
            assert!(read(received.as_bytes()).is_err(), "{received:?}");
        }
        let (other, length) = read(b"$2\r\n\xff\xfe\r\n").unwrap().unwrap();
        assert!(other.is_err() && length == 8);
    }
}
