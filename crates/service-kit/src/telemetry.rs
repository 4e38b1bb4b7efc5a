//! Logs on standard error, so that standard output holds nothing but the line that says ready.

use std::{io::IsTerminal as _, str::FromStr};

use tracing::{Event, Subscriber};
use tracing_subscriber::{
    EnvFilter, fmt,
    fmt::{FmtContext, FormatEvent, FormatFields, format::Writer},
    registry::LookupSpan,
};

use crate::{
    repeated_lines, request_id,
    settings::{Default, Key, Reader, Section},
};

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// `log.format`.
static LOG_FORMAT: Key<LogFormat> = Key {
    name: "log.format",
    default: Default::Text("text"),
    example: "json",
    meaning: "`text`, or `json` with one object a line",
    meaning_zh: "`text`，或 `json`（每行一个对象）",
    secret: false,
    parse: |value| match value {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        other => Err(format!("must be text or json, not {other:?}")),
    },
};

/// `log.level`.
static LOG_LEVEL: Key<String> = Key {
    name: "log.level",
    default: Default::Text("info"),
    example: "info",
    meaning: "`error`, `warn`, `info`, `debug`, `trace`, or a filter such as `info,wechat_gateway=debug`",
    meaning_zh: "`error`、`warn`、`info`、`debug`、`trace`，或者 `info,wechat_gateway=debug` 这样的过滤条件",
    secret: false,
    parse: |value| match EnvFilter::from_str(value) {
        Ok(_) => Ok(value.to_owned()),
        Err(error) => Err(format!("is not a log filter: {error}")),
    },
};

/// What is logged, and how.
#[derive(Debug, Clone)]
pub struct LogSettings {
    /// How log lines are written.
    pub format: LogFormat,
    /// The filter, as [`EnvFilter`] reads it.
    pub level: String,
}

impl Section for LogSettings {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let (format, level) = (reader.value(&LOG_FORMAT), reader.value(&LOG_LEVEL));
        Some(Self {
            format: format?,
            level: level?,
        })
    }
}

/// Starts logging for this process. A second call changes nothing.
pub fn start(settings: &LogSettings) {
    let LogSettings { format, level } = settings;
    // actix-server logs every worker; its warnings are enough. actix-http reports what strangers
    // send as an error of ours, so anybody could fill the log.
    let filter = EnvFilter::new(format!("actix_server=warn,actix_http::h1=off,{level}"));
    let subscriber = fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false);
    // Failing means that a subscriber is already there, as in a test that starts two services.
    let _ = match *format {
        LogFormat::Text => {
            let colours = std::io::stderr().is_terminal();
            subscriber
                .with_ansi(colours)
                // Passed to the formatter too, since a custom writer has no colours.
                .map_event_format(|lines| Named {
                    lines: lines.with_ansi(colours),
                    format: *format,
                })
                .try_init()
        }
        LogFormat::Json => subscriber
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .map_event_format(|lines| Named {
                lines,
                format: *format,
            })
            .try_init(),
    };
}

/// Log lines that end with their request ID, without [repeated ones](repeated_lines). A span would
/// do as well, but would be created for every request, and most log nothing.
struct Named<Lines> {
    lines: Lines,
    format: LogFormat,
}

impl<S, N, Lines> FormatEvent<S, N> for Named<Lines>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    N: for<'writer> FormatFields<'writer> + 'static,
    Lines: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> std::fmt::Result {
        if !repeated_lines::is_first(event) {
            return Ok(());
        }
        let Some(id) = request_id::current() else {
            return self.lines.format_event(context, writer, event);
        };
        let mut line = String::new();
        self.lines
            .format_event(context, Writer::new(&mut line), event)?;
        writer.write_str(&with_name(
            &line,
            self.format,
            id.to_str().unwrap_or_default(),
        ))
    }
}

/// A line with a request ID, which contains no character that JSON would escape.
fn with_name(line: &str, format: LogFormat, id: &str) -> String {
    match format {
        LogFormat::Text => format!("{} request_id={id}\n", line.trim_end_matches('\n')),
        LogFormat::Json => {
            let open = line.trim_end_matches('\n');
            let open = open.strip_suffix('}').unwrap_or(open);
            format!("{open},\"request_id\":\"{id}\"}}\n")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_ends_with_the_requests_name() {
        let text = with_name("INFO got it\n", LogFormat::Text, "edge-1");
        assert_eq!(text, "INFO got it request_id=edge-1\n");
        let json = with_name("{\"message\":\"got it\"}\n", LogFormat::Json, "edge-1");
        assert_eq!(json, "{\"message\":\"got it\",\"request_id\":\"edge-1\"}\n");
    }
}
