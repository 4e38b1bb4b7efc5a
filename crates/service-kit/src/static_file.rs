//! Files that are part of the binary, as browsers fetch them: compressed, and not again while they
//! are the same.
//!
//! Each is compressed at most once for each coding, when the first browser that takes it asks: some
//! tens of milliseconds at the best quality, which no start has to wait for. Nothing else is
//! compressed here. What is made for one visitor may hold a secret beside text that somebody else
//! chose, whose length would give it away (BREACH), and an event stream mustn't wait for more.

use std::{io::Write as _, sync::OnceLock};

use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder,
    http::header::{
        AcceptEncoding, CACHE_CONTROL, CONTENT_ENCODING, ETAG, Encoding, Header as _,
        IF_NONE_MATCH, VARY,
    },
    web::Bytes,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use flate2::{Compression, write::GzEncoder};
use sha2::{Digest as _, Sha256};

/// Brotli's best.
const QUALITY: i32 = 11;

/// Brotli's window in bits: 256 KiB, more than any file has.
const WINDOW: i32 = 18;

/// A file that never changes while the process runs.
#[derive(Debug)]
pub struct StaticFile {
    media_type: &'static str,
    content: &'static str,
    digest: OnceLock<String>,
    brotli: OnceLock<Bytes>,
    gzip: OnceLock<Bytes>,
}

impl StaticFile {
    /// A file of this media type.
    pub const fn new(media_type: &'static str, content: &'static str) -> Self {
        Self {
            media_type,
            content,
            digest: OnceLock::new(),
            brotli: OnceLock::new(),
            gzip: OnceLock::new(),
        }
    }

    /// A file of the media type that its name's ending tells: HTML if it has none of the others.
    pub fn named(name: &str, content: &'static str) -> Self {
        let media_type = match name.rsplit('.').next() {
            Some("js") => "text/javascript; charset=utf-8",
            Some("css") => "text/css; charset=utf-8",
            Some("svg") => "image/svg+xml",
            Some("json") => "application/json",
            _ => "text/html; charset=utf-8",
        };
        Self::new(media_type, content)
    }

    /// Sixteen characters that stand for the content.
    pub fn digest(&self) -> &str {
        self.digest
            .get_or_init(|| URL_SAFE_NO_PAD.encode(&Sha256::digest(self.content)[..12]))
    }

    /// The answer to a request for it, to be kept as `caching` says, a `Cache-Control`.
    pub fn answer(&self, request: &HttpRequest, caching: &'static str) -> HttpResponse {
        if self.is_known(request) {
            let mut response = HttpResponse::NotModified();
            self.describe(&mut response, caching, "");
            return response.finish();
        }
        let mut response = HttpResponse::Ok();
        response.content_type(self.media_type);
        let (coding, body) = match accepted(request) {
            Some("br") => (
                "br",
                self.brotli.get_or_init(|| brotli(self.content)).clone(),
            ),
            Some("gzip") => ("gzip", self.gzip.get_or_init(|| gzip(self.content)).clone()),
            _ => ("", Bytes::from_static(self.content.as_bytes())),
        };
        if !coding.is_empty() {
            response.insert_header((CONTENT_ENCODING, coding));
        }
        self.describe(&mut response, caching, coding);
        response.body(body)
    }

    fn describe(&self, response: &mut HttpResponseBuilder, caching: &'static str, coding: &str) {
        let digest = self.digest();
        // One entity tag stands for one sequence of bytes (RFC 9110, section 8.8.3.3).
        let tag = if coding.is_empty() {
            format!("\"{digest}\"")
        } else {
            format!("\"{digest}-{coding}\"")
        };
        response
            .insert_header((ETAG, tag))
            .insert_header((CACHE_CONTROL, caching))
            .insert_header((VARY, "Accept-Encoding"));
    }

    /// Whether the browser has the content, however it was compressed.
    fn is_known(&self, request: &HttpRequest) -> bool {
        let known = request.headers().get(IF_NONE_MATCH);
        let Some(known) = known.and_then(|value| value.to_str().ok()) else {
            return false;
        };
        known.split(',').any(|tag| {
            let tag = tag.trim().trim_start_matches("W/").trim_matches('"');
            let digest = tag.trim_end_matches("-br").trim_end_matches("-gzip");
            digest == self.digest()
        })
    }
}

/// The coding in which the browser wants it; `None` for none.
fn accepted(request: &HttpRequest) -> Option<&'static str> {
    if !request.headers().contains_key(AcceptEncoding::name()) {
        return None;
    }
    let accepted = AcceptEncoding::parse(request).ok()?;
    let supported = [Encoding::brotli(), Encoding::gzip(), Encoding::identity()];
    let chosen = accepted.negotiate(supported.iter())?;
    ["br", "gzip"]
        .into_iter()
        .find(|coding| chosen.to_string() == *coding)
}

fn brotli(content: &str) -> Bytes {
    let mut compressed = Vec::new();
    let parameters = brotli::enc::BrotliEncoderParams {
        quality: QUALITY,
        lgwin: WINDOW,
        size_hint: content.len(),
        ..Default::default()
    };
    brotli::BrotliCompress(&mut content.as_bytes(), &mut compressed, &parameters)
        .expect("memory can be written to");
    compressed.into()
}

fn gzip(content: &str) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder
        .write_all(content.as_bytes())
        .expect("memory can be written to");
    encoder.finish().expect("memory can be written to").into()
}

#[cfg(test)]
mod tests {
    use actix_web::{
        body::to_bytes,
        http::{StatusCode, header::ACCEPT_ENCODING},
        test::TestRequest,
    };

    use super::*;

    const STYLES: &str = ".a { color: red; } .b { color: red; } .c { color: red; }";

    fn file() -> StaticFile {
        StaticFile::named("styles.css", STYLES)
    }

    fn header(response: &HttpResponse, name: impl AsRef<str>) -> String {
        let value = response.headers().get(name.as_ref());
        value.map_or_else(String::new, |value| {
            value.to_str().expect("it is text").to_owned()
        })
    }

    fn ask(accepting: Option<&str>) -> HttpResponse {
        let request = TestRequest::get();
        let request = match accepting {
            Some(accepting) => request.insert_header((ACCEPT_ENCODING, accepting)),
            None => request,
        };
        file().answer(&request.to_http_request(), "no-cache")
    }

    #[test]
    fn a_browser_gets_the_best_coding_that_it_takes() {
        for (accepting, coding) in [
            (Some("gzip, deflate, br, zstd"), "br"),
            (Some("gzip, deflate"), "gzip"),
            (Some("br;q=0, gzip"), "gzip"),
            (Some("gzip;q=0.2, br;q=0.1"), "gzip"),
            (Some("*"), ""),
            (Some("identity"), ""),
            (Some("br;q=0"), ""),
            (Some("zstd"), ""),
            (Some("!"), ""),
            (Some(""), ""),
            (None, ""),
        ] {
            let response = ask(accepting);
            let got = header(&response, CONTENT_ENCODING);
            assert_eq!(got, coding, "{accepting:?}");
            assert_eq!(header(&response, VARY), "Accept-Encoding", "{accepting:?}");
        }
    }

    #[actix_web::test]
    async fn what_is_compressed_is_the_content() {
        let compressed = to_bytes(ask(Some("br")).into_body()).await.expect("a body");
        let mut content = Vec::new();
        brotli::BrotliDecompress(&mut compressed.as_ref(), &mut content).expect("it is brotli");
        assert_eq!(content, STYLES.as_bytes());
        assert!(compressed.len() < STYLES.len());

        let compressed = to_bytes(ask(Some("gzip")).into_body())
            .await
            .expect("a body");
        let mut decoder = flate2::write::GzDecoder::new(Vec::new());
        decoder.write_all(&compressed).expect("it is gzip");
        assert_eq!(decoder.finish().expect("it is whole"), STYLES.as_bytes());
    }

    #[test]
    fn each_coding_has_its_tag_and_all_are_recognised() {
        let tags = [None, Some("br"), Some("gzip")].map(|coding| header(&ask(coding), ETAG));
        assert_ne!(tags[0], tags[1]);
        assert_ne!(tags[1], tags[2]);
        for tag in tags
            .iter()
            .cloned()
            .chain([format!("\"x\", W/{}", tags[2])])
        {
            let request = TestRequest::get().insert_header((IF_NONE_MATCH, tag.as_str()));
            let response = file().answer(&request.to_http_request(), "no-cache");
            assert_eq!(response.status(), StatusCode::NOT_MODIFIED, "{tag}");
        }
        let request = TestRequest::get().insert_header((IF_NONE_MATCH, "\"other\""));
        let response = file().answer(&request.to_http_request(), "no-cache");
        assert_eq!(response.status(), StatusCode::OK);
    }
}
