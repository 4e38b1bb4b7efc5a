//! Programs that a command needs beside Rust: found, or installed from the system's packages.

use std::collections::VecDeque;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::console;
use crate::failure::{During, Failure};
use crate::repository::find_program;

/// Redis, or Valkey, which grew out of it and speaks the same.
const REDIS: [&str; 2] = ["redis-server", "valkey-server"];
const BROWSERS: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];

/// Debian's is where only an administrator's PATH leads.
const NGINX: &str = "/usr/sbin/nginx";

/// The module of Debian's Apache, which brings Apache along.
const APACHE_OIDC: &str = "/usr/lib/apache2/modules/mod_auth_openidc.so";

/// Lines of apt-get shown when it fails.
const KEPT_LINES: usize = 15;

/// Finds the Redis server, or installs it.
pub(crate) fn redis_server() -> Result<PathBuf, Failure> {
    if find_program(&REDIS).is_none() {
        install_listed(&["redis-server"])?;
    }
    find_program(&REDIS)
        .ok_or_else(|| Failure::new("redis-server was installed, but PATH does not lead to it"))
}

/// Makes sure of valgrind, which counts instructions.
pub(crate) fn valgrind() -> Result<(), Failure> {
    if find_program(&["valgrind"]).is_some() {
        return Ok(());
    }
    install_listed(&["valgrind"])
}

/// Makes sure of everything that the tests need.
pub(crate) fn for_tests(with_browser: bool) -> Result<(), Failure> {
    let mut packages = Vec::new();
    if find_program(&REDIS).is_none() {
        packages.push("redis-server");
    }
    if find_program(&["nginx"]).is_none() && !Path::new(NGINX).exists() {
        packages.push("nginx-light");
    }
    if find_program(&["node"]).is_none() {
        packages.push("nodejs");
    }
    if find_program(&["npm"]).is_none() {
        packages.push("npm");
    }
    for program in ["caddy", "prometheus"] {
        if find_program(&[program]).is_none() {
            packages.push(program);
        }
    }
    if with_browser {
        for (program, package) in [
            ("php", "php-cli"),
            ("javac", "default-jdk-headless"),
            ("curl", "curl"),
        ] {
            if find_program(&[program]).is_none() {
                packages.push(package);
            }
        }
        if !has_python_module("flask") {
            packages.push("python3-flask");
        }
        if find_program(&BROWSERS).is_none() {
            packages.push("chromium");
        }
        if find_program(&["chromedriver"]).is_none() {
            packages.push("chromium-driver");
        }
        if !has_chinese_font() {
            packages.extend(["fontconfig", "fonts-noto-cjk"]);
        }
    }
    if packages.is_empty() {
        return Ok(());
    }
    install_listed(&packages)
}

/// Makes sure of what the recipes need beside what npm and pip install.
pub(crate) fn for_recipes() -> Result<(), Failure> {
    if !Path::new(APACHE_OIDC).exists() {
        install_listed(&["libapache2-mod-auth-openidc"])?;
    }
    python_environments()
}

/// Makes sure of Python's virtual environments.
pub(crate) fn python_environments() -> Result<(), Failure> {
    if has_python_module("ensurepip") {
        return Ok(());
    }
    install_listed(&["python3-venv"])
}

fn install_listed(packages: &[&str]) -> Result<(), Failure> {
    console::step(&format!(
        "Installing what is missing: {}",
        packages.join(", ")
    ));
    let started = Instant::now();
    install(packages)?;
    console::done(&format!(
        "installed in {}",
        console::duration(started.elapsed())
    ));
    if Path::new("/run/systemd/system").exists() {
        for (package, started) in [
            ("redis-server", "a Redis of its own on port 6379"),
            ("nginx-light", "an nginx of its own on port 80"),
            ("caddy", "a Caddy of its own on port 80"),
            ("prometheus", "a Prometheus of its own on port 9090"),
        ] {
            if packages.contains(&package) {
                console::note(&format!(
                    "Debian also started {started}; nothing here uses it"
                ));
            }
        }
    }
    Ok(())
}

/// Debian's Python has the packages of Debian.
fn has_python_module(name: &str) -> bool {
    Command::new("/usr/bin/python3")
        .args(["-c", &format!("import {name}")])
        .output()
        .is_ok_and(|output| output.status.success())
}

/// Without one, headless Chromium draws boxes.
fn has_chinese_font() -> bool {
    Command::new("fc-list")
        .args([":lang=zh-cn", "family"])
        .output()
        .is_ok_and(|output| !output.stdout.is_empty())
}

fn is_ubuntu() -> bool {
    fs::read_to_string("/etc/os-release")
        .is_ok_and(|text| text.lines().any(|line| line == "ID=ubuntu"))
}

/// Installs with apt-get as root or with a sudo that asks nothing, or says what to install by hand.
fn install(packages: &[&str]) -> Result<(), Failure> {
    let wants_browser = packages
        .iter()
        .any(|package| package.starts_with("chromium"));
    if find_program(&["apt-get"]).is_none() {
        let mut wanted = packages.join(", ");
        if wants_browser {
            wanted += " (Chrome will do too; its chromedriver has to be of the same version)";
        }
        return Err(Failure::new(format!(
            "only Debian's and Ubuntu's packages are installed by themselves: please install {wanted} \
             so that PATH leads to it, and try again. Without a browser: cargo xtask test --no-browser"
        )));
    }
    if wants_browser && is_ubuntu() {
        return Err(Failure::new(
            "Ubuntu has Chromium as a snap only: run `snap install chromium`, let PATH lead to \
             /snap/bin and to a chromedriver, or use --no-browser",
        ));
    }
    let mut prefix = Vec::new();
    if !rustix::process::geteuid().is_root() {
        if !sudo_asks_nothing() {
            let packages = packages.join(" ");
            return Err(Failure::new(format!(
                "this needs root: run `sudo apt-get install {packages}`, and try again"
            )));
        }
        prefix.extend(["sudo", "-n"]);
    }
    // The variable goes through `env`, because sudo drops what it doesn't know.
    prefix.extend(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]);
    apt_get(&prefix, &["update"], packages)?;
    apt_get(
        &prefix,
        &[&["install", "--yes", "--no-install-recommends"], packages].concat(),
        packages,
    )
}

fn sudo_asks_nothing() -> bool {
    Command::new("sudo")
        .args(["-n", "true"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Runs apt-get and shows of its hundreds of lines the few that tell how far it is.
fn apt_get(prefix: &[&str], arguments: &[&str], packages: &[&str]) -> Result<(), Failure> {
    let command_line = [prefix, arguments].concat();
    console::plain(&format!("    {}", command_line.join(" ")));
    let mut child = Command::new("sh")
        .args(["-c", "exec \"$@\" 2>&1", "sh"])
        .args(&command_line)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .during("run apt-get")?;
    let mut last = VecDeque::new();
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).split(b'\n') {
            let line = line.during("read the output of apt-get")?;
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            if tells_progress(&line, packages) {
                console::plain(&format!("    {line}"));
            }
            if last.len() == KEPT_LINES {
                last.pop_front();
            }
            last.push_back(line);
        }
    }
    if child.wait().during("wait for apt-get")?.success() {
        return Ok(());
    }
    let last = last.make_contiguous().join("\n    ");
    Err(Failure::new(format!(
        "`{}` failed:\n    {last}",
        command_line.join(" ")
    )))
}

fn tells_progress(line: &str, packages: &[&str]) -> bool {
    if let Some(package) = line.strip_prefix("Setting up ") {
        return packages
            .iter()
            .any(|wanted| package.split([' ', ':']).next() == Some(wanted));
    }
    ["Need to get", "Fetched", "E:", "Err:"]
        .iter()
        .any(|start| line.starts_with(start))
}
