//! Where traces go, and which.

use std::str::FromStr as _;

use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::percent_decode_str;
use url::Url;

use crate::{
    settings::{Default, Key, Reader, Section},
    settings_parse,
};

static ENDPOINT: Key<Url> = Key {
    name: "traces.endpoint",
    default: Default::Unset,
    example: "http://otel-collector:4318",
    meaning: "an OpenTelemetry collector that traces are posted to (OTLP over HTTP; `/v1/traces` is \
              appended); unset: there are no traces",
    meaning_zh: "接收链路追踪的 OpenTelemetry Collector（OTLP/HTTP，会自动加上 `/v1/traces`）；不设置则不追踪",
    secret: false,
    parse: settings_parse::http_url,
};

static HEADERS: Key<HeaderMap> = Key {
    name: "traces.headers",
    default: Default::Unset,
    example: "authorization=Bearer%202f1c",
    meaning: "headers for the collector, `name=value` with the value percent-encoded, several with commas",
    meaning_zh: "发给 Collector 的请求头，写作 `name=value`，值要做百分号编码，多个用逗号分隔",
    secret: true,
    parse: headers,
};

static SAMPLE_RATIO: Key<f64> = Key {
    name: "traces.sample_ratio",
    default: Default::Text("1"),
    example: "0.1",
    meaning: "which share of the traces that begin here is recorded, 0 to 1",
    meaning_zh: "在本服务开始的链路中采样的比例，0 到 1",
    secret: false,
    parse: |value| {
        let ratio = value.parse().ok();
        let ratio = ratio.filter(|ratio| (0.0..=1.0).contains(ratio));
        ratio.ok_or_else(|| "must be a number from 0 to 1".to_owned())
    },
};

static CONTINUE_INCOMING: Key<bool> = Key {
    name: "traces.continue_incoming",
    default: Default::Text("false"),
    example: "true",
    meaning: "continue the trace that `traceparent` names on the public listener; only behind a proxy \
              that sets this header or removes it",
    meaning_zh: "在公网端口上沿用请求头 `traceparent` 指定的链路；只有前面的代理会设置或删除这个请求头时才能打开",
    secret: false,
    parse: settings_parse::boolean,
};

/// Where traces go, and which. Its `Debug` form shows no header's value.
#[derive(Debug, Clone)]
pub struct TraceSettings {
    /// The collector; `None`: there are no traces.
    pub endpoint: Option<Url>,
    /// What it wants to be told.
    pub headers: HeaderMap,
    /// The share of traces that begin here and are recorded, 0 to 1.
    pub sample_ratio: f64,
    /// Whether visitors' requests may name their trace.
    pub continue_incoming: bool,
}

impl Section for TraceSettings {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let endpoint = reader.optional(&ENDPOINT);
        let headers = reader.optional(&HEADERS);
        let sample_ratio = reader.value(&SAMPLE_RATIO);
        let continue_incoming = reader.value(&CONTINUE_INCOMING);
        Some(Self {
            endpoint: endpoint?,
            headers: headers?.unwrap_or_default(),
            sample_ratio: sample_ratio?,
            continue_incoming: continue_incoming?,
        })
    }
}

/// As in the SDKs' variable `OTEL_EXPORTER_OTLP_HEADERS`. The message doesn't repeat the value.
fn headers(text: &str) -> Result<HeaderMap, String> {
    let wrong = || "must be name=value, several with commas".to_owned();
    let mut headers = HeaderMap::new();
    for pair in text.split(',') {
        let (name, value) = pair.split_once('=').ok_or_else(wrong)?;
        let name = HeaderName::from_str(name.trim()).map_err(|_| wrong())?;
        let value: Vec<u8> = percent_decode_str(value.trim()).collect();
        let mut value = HeaderValue::from_bytes(&value).map_err(|_| wrong())?;
        value.set_sensitive(true);
        headers.append(name, value);
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_and_their_values_stay_secret() {
        let read = headers("authorization=Bearer%20a=b, x-team = 7").unwrap();
        assert_eq!(read["authorization"], "Bearer a=b");
        assert_eq!(read["x-team"], "7");
        assert!(!format!("{read:?}").contains("Bearer"), "{read:?}");
        for other in ["", "authorization", "a b=c", "authorization=a%0Ab"] {
            assert!(headers(other).is_err(), "{other:?}");
        }
    }
}
