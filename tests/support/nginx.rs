//! A real nginx, with the configurations that `docs` and `deploy` hold.

use std::{
    fs,
    path::{Path, PathBuf},
};

pub use harness::ports::free as free_port;

use crate::{
    deadline::eventually,
    process::{self, Process},
};

/// A running nginx.
pub struct Nginx {
    folder: PathBuf,
    _process: Process,
}

impl Nginx {
    /// Starts nginx with this configuration, in which `{folder}` stands for a folder of its own,
    /// and waits until it listens on this port.
    pub async fn start(name: &str, configuration: &str, port: u16, log: &Path) -> Self {
        let folder = log.join(name);
        fs::create_dir_all(&folder).expect("a folder can be made");
        let path = folder.to_str().expect("its path is text");
        let configuration = configuration.replace("{folder}", path);
        fs::write(folder.join("nginx.conf"), configuration).expect("it can be written");
        // One process, so that nothing is left of it when it is killed.
        let settings = "daemon off; master_process off;";
        let errors = folder.join("error.log");
        let arguments = [
            "-p",
            path,
            "-c",
            "nginx.conf",
            "-e",
            errors.to_str().expect("its path is text"),
            "-g",
            settings,
        ];
        let process = process::start(name, program(), arguments, &[], log);
        let nginx = Self {
            folder,
            _process: process,
        };
        let what = format!("{name} listens; it says {:?}", nginx.read("error.log"));
        eventually(&what, async || {
            std::net::TcpStream::connect(("127.0.0.1", port)).ok()
        })
        .await;
        nginx
    }

    /// What it has written to a file of its folder.
    pub fn read(&self, name: &str) -> String {
        let bytes = fs::read(self.folder.join(name)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Waits until its file holds this text, and returns all of it.
    pub async fn file_with(&self, name: &str, text: &str) -> String {
        let what = format!("{name} of nginx holds {text:?}");
        eventually(&what, async || {
            let written = self.read(name);
            written.contains(text).then_some(written)
        })
        .await
    }
}

/// Debian's nginx is where only an administrator's PATH leads.
fn program() -> &'static str {
    let usual = "/usr/sbin/nginx";
    if Path::new(usual).exists() {
        usual
    } else {
        "nginx"
    }
}

/// A configuration with these server blocks and nothing that is needed for more than a test.
pub fn configuration(servers: &str) -> String {
    format!(
        "pid {{folder}}/nginx.pid;\nerror_log {{folder}}/error.log;\nevents {{}}\nhttp {{\n\
         access_log {{folder}}/access.log;\n{TEMPORARY}{servers}}}\n"
    )
}

const TEMPORARY: &str = "client_body_temp_path {folder}/body;\nproxy_temp_path {folder}/proxy;\n\
    fastcgi_temp_path {folder}/fastcgi;\nuwsgi_temp_path {folder}/uwsgi;\nscgi_temp_path {folder}/scgi;\n";

/// The configurations in a text of Markdown.
pub fn snippets(markdown: &str) -> Vec<String> {
    blocks_of(markdown, "nginx")
}

/// The blocks of a language in a text of Markdown.
pub fn blocks_of(markdown: &str, language: &str) -> Vec<String> {
    let begin = format!("```{language}\n");
    let blocks = markdown.split(&begin).skip(1);
    blocks
        .map(|block| {
            let (snippet, _) = block.split_once("```").expect("a block has an end");
            snippet.to_owned()
        })
        .collect()
}

/// A configuration without its comments, which no server reads. (None of these has a `#` in
/// quotes.)
pub fn without_comments(configuration: &str) -> String {
    let lines = configuration.lines().map(|line| {
        let end = line.find('#').unwrap_or(line.len());
        line[..end].trim_end()
    });
    lines.collect::<Vec<_>>().join("\n")
}
