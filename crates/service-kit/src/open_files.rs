//! How many files, and with them connections, the process may have open.

use std::fs::File;

use rustix::{
    io::Errno,
    process::{Resource, Rlimit, getrlimit, setrlimit},
};

/// How many more files a healthy process can open: a new client needs one, and so does a new
/// connection to Redis, the gateway or WeChat.
const SPARE: usize = 16;

/// Whether the process, and the system, have some left to open.
pub fn some_are_left() -> bool {
    let mut opened = Vec::with_capacity(SPARE);
    for _ in 0..SPARE {
        match File::open("/dev/null") {
            Ok(file) => opened.push(file),
            Err(error) => {
                let error = Errno::from_io_error(&error);
                return !matches!(error, Some(Errno::MFILE | Errno::NFILE));
            }
        }
    }
    true
}

/// Raises the limit as far as the system lets this process. The usual one of 1024, which is there
/// for programs that still use `select(2)`, would turn the thousandth waiting browser away.
pub fn raise_limit() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current == maximum {
        return;
    }
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!(%error, limit = current, "can't raise the limit on open files");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_becomes_the_highest_that_is_allowed() {
        let maximum = getrlimit(Resource::Nofile).maximum;
        let lower = Rlimit {
            // Other tests of this process open files meanwhile.
            current: maximum.map(|maximum| maximum - 1).or(Some(65_536)),
            maximum,
        };
        setrlimit(Resource::Nofile, lower).unwrap();
        raise_limit();
        assert_eq!(getrlimit(Resource::Nofile).current, maximum);
    }
}
