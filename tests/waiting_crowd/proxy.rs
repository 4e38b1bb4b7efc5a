//! The nginx in front of all sites, with the part of `deploy/edge/nginx.conf` that a stream meets.

use std::{fmt::Write as _, fs, path::Path, time::Duration};

use harness::{
    child::Group,
    deadline::within,
    ports,
    process::{Process, Recipe},
};

/// How many files a worker may hold open.
const FILES: usize = 20_000;

/// How many streams a worker is to hold, each of which is two files. The kernel spreads
/// connections by their addresses, so that one worker gets more than another.
const STREAMS: usize = 7_500;

/// Starts it and waits until it listens; also says where. Dropping it ends its workers as well,
/// because they are of its group.
pub(crate) async fn start(sites: &[String], streams: usize, log: &Path) -> (Process, String) {
    let port = ports::free();
    let workers = streams.div_ceil(STREAMS).max(2);
    let mut servers = String::new();
    for site in sites {
        writeln!(servers, "        server {site};").expect("a text takes it");
    }
    let folder = log.join("nginx");
    fs::create_dir_all(&folder).expect("a folder can be made");
    let path = folder.to_str().expect("its path is text");
    // Where the master is root its workers are somebody else, who can't write to this folder.
    let configuration = format!(
        "daemon off;
worker_processes {workers};
worker_rlimit_nofile {FILES};
pid {path}/nginx.pid;
error_log {path}/error.log warn;
events {{
    worker_connections {FILES};
}}
http {{
    access_log off;
    client_body_temp_path {path}/body;
    proxy_temp_path {path}/proxy;
    fastcgi_temp_path {path}/fastcgi;
    uwsgi_temp_path {path}/uwsgi;
    scgi_temp_path {path}/scgi;
    upstream sites {{
        zone sites 256k;
{servers}    }}
    server {{
        listen 127.0.0.1:{port} reuseport backlog=4096;
        location / {{
            proxy_pass http://sites;
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header Connection \"\";
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_buffering off;
            proxy_read_timeout 1h;
        }}
    }}
}}
"
    );
    fs::write(folder.join("nginx.conf"), configuration).expect("it can be written");
    let errors = format!("{path}/error.log");
    let program = if Path::new("/usr/sbin/nginx").exists() {
        "/usr/sbin/nginx"
    } else {
        "nginx"
    };
    let recipe = Recipe {
        arguments: ["-p", path, "-c", "nginx.conf", "-e", &errors]
            .map(str::to_owned)
            .into(),
        group: Group::Own,
        ..Recipe::new("nginx", program, log)
    };
    let process = Process::spawn(recipe).unwrap_or_else(|failure| panic!("{failure}"));
    let listens = within(Duration::from_secs(10), async || {
        std::net::TcpStream::connect(("127.0.0.1", port)).ok()
    });
    assert!(listens.await.is_some(), "nginx doesn't listen: {errors}");
    (process, format!("127.0.0.1:{port}"))
}
