//! `cargo xtask up` with shell scripts in place of the services, of cargo and of Redis: what it
//! starts, how it ends them, and that nothing survives it.
#![expect(
    clippy::unwrap_used,
    reason = "in a test a failed unwrap is the report"
)]

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

/// A process that says it is ready, and writes its name into a journal when it is asked to end.
const STAND_IN: &str = r#"#!/bin/sh
trap 'echo "end NAME" >>"$JOURNAL"; exit 0' TERM
echo "start NAME $$" >>"$JOURNAL"
echo "READY"
while :; do sleep 5 & wait $!; done
"#;

/// Held while a program is written and while one is started: a process forked in the middle of the
/// writing would hold the file open, and the kernel refuses to run a file that is open for writing.
static FORK: Mutex<()> = Mutex::new(());

/// One folder with everything that a run of `up` finds.
struct Scene {
    folder: PathBuf,
    ports: [u16; 3],
}

struct Run {
    child: Child,
}

impl Scene {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("up-{}-{number}", std::process::id()));
        let scene = Self {
            folder,
            ports: free_ports(),
        };
        fs::create_dir_all(scene.folder.join("debug")).unwrap();
        fs::copy(
            env!("CARGO_BIN_EXE_xtask"),
            scene.folder.join("debug/xtask"),
        )
        .unwrap();
        scene.program("cargo", "#!/bin/sh\nexit 0\n");
        for (name, ready) in [
            ("redis-server", "* Ready to accept connections tcp"),
            (
                "wechat-simulator",
                "wechat-simulator ready http://127.0.0.1:1",
            ),
            (
                "wechat-gateway",
                "wechat-gateway ready public=http://127.0.0.1:2 internal=http://127.0.0.1:3",
            ),
            (
                "site",
                "site ready public=http://127.0.0.1:4 internal=http://127.0.0.1:5",
            ),
        ] {
            scene.program(
                name,
                &STAND_IN.replace("NAME", name).replace("READY", ready),
            );
        }
        scene
    }

    fn program(&self, name: &str, script: &str) {
        let _nobody_forks = FORK.lock();
        let path = self.folder.join("debug").join(name);
        fs::write(&path, script).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn start(&self, environment: &[(&str, &str)]) -> Run {
        let debug = self.folder.join("debug");
        let [site, gateway, simulator] = self.ports.map(|port| port.to_string());
        let _nobody_writes = FORK.lock();
        let child = Command::new(debug.join("xtask"))
            .args(["up", "--site-port", &site, "--gateway-port", &gateway])
            .args(["--simulator-port", &simulator])
            .env("PATH", format!("{}:/usr/bin:/bin", debug.display()))
            .env("CARGO", debug.join("cargo"))
            .env("CARGO_TARGET_DIR", &self.folder)
            .env("JOURNAL", self.folder.join("journal"))
            .env_remove("GATEWAY__WECHAT__APP_ID")
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(fs::File::create(self.folder.join("output")).unwrap())
            .stderr(fs::File::create(self.folder.join("errors")).unwrap())
            .spawn()
            .unwrap();
        Run { child }
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder.join(name)).unwrap_or_default()
    }

    /// Waits until a file holds a text.
    fn wait_for(&self, name: &str, text: &str) {
        poll(
            || self.read(name).contains(text),
            || {
                format!(
                    "no {text:?} in {name}:\n{}\n{}",
                    self.read("output"),
                    self.read("errors")
                )
            },
        );
    }

    fn journal(&self, event: &str) -> Vec<String> {
        let journal = self.read("journal");
        let lines = journal.lines().filter_map(|line| line.strip_prefix(event));
        lines
            .map(|line| line.split_whitespace().next().unwrap().to_owned())
            .collect()
    }

    fn assert_nothing_survives(&self) {
        for line in self
            .read("journal")
            .lines()
            .filter(|line| line.starts_with("start "))
        {
            let pid = Pid::from_raw(line.rsplit(' ').next().unwrap().parse().unwrap()).unwrap();
            poll(|| !is_running(pid), || format!("{line} still runs"));
        }
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Run {
    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    fn end(&mut self) -> ExitStatus {
        let mut status = None;
        poll(
            || {
                status = self.child.try_wait().unwrap();
                status.is_some()
            },
            || "xtask does not end".to_owned(),
        );
        status.unwrap()
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether the process exists and is more than an entry that its parent hasn't collected.
fn is_running(pid: Pid) -> bool {
    let state = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
    match state {
        Ok(state) => !state
            .rsplit(") ")
            .next()
            .unwrap_or_default()
            .starts_with('Z'),
        Err(_) if cfg!(target_os = "linux") => false,
        Err(_) => test_kill_process(pid).is_ok(),
    }
}

fn free_ports() -> [u16; 3] {
    let listeners = [(); 3].map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}

fn poll(mut condition: impl FnMut() -> bool, complaint: impl Fn() -> String) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !condition() {
        assert!(Instant::now() < deadline, "{}", complaint());
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn everything_starts_in_order_and_stops_in_the_opposite_order() {
    let scene = Scene::new();
    let mut run = scene.start(&[]);
    scene.wait_for("output", "everything is ready");
    assert_eq!(
        scene.journal("start "),
        ["redis-server", "wechat-simulator", "wechat-gateway", "site"]
    );
    let output = scene.read("output");
    assert!(
        output.contains(&format!("Website    http://127.0.0.1:{}", scene.ports[0])),
        "{output}"
    );
    assert!(
        output.contains(&format!("Phone      http://127.0.0.1:{}", scene.ports[2])),
        "{output}"
    );
    assert!(
        output.contains("gateway   | wechat-gateway ready"),
        "{output}"
    );
    assert!(
        !output.contains('\u{1b}'),
        "colours without a terminal: {output}"
    );

    run.signal(Signal::INT);
    assert!(run.end().success(), "{}", scene.read("errors"));
    assert_eq!(
        scene.journal("end "),
        ["site", "wechat-gateway", "wechat-simulator", "redis-server"]
    );
    scene.assert_nothing_survives();
}

#[test]
fn a_real_account_leaves_the_simulator_out() {
    let scene = Scene::new();
    let mut run = scene.start(&[("GATEWAY__WECHAT__APP_ID", "wx0123456789abcdef")]);
    scene.wait_for("output", "everything is ready");
    assert_eq!(
        scene.journal("start "),
        ["redis-server", "wechat-gateway", "site"]
    );
    run.signal(Signal::TERM);
    assert!(run.end().success());
    scene.assert_nothing_survives();
}

#[test]
fn a_process_that_dies_is_named_with_its_last_words_and_ends_all() {
    let scene = Scene::new();
    scene.program(
        "site",
        "#!/bin/sh\necho 'site ready'\necho 'out of luck' >&2\nexit 3\n",
    );
    let mut run = scene.start(&[]);
    assert_eq!(run.end().code(), Some(1));
    let errors = scene.read("errors");
    assert!(
        errors.contains("site ended by itself (exit status: 3)"),
        "{errors}"
    );
    assert!(errors.contains("out of luck"), "{errors}");
    scene.assert_nothing_survives();
}

#[test]
fn nothing_survives_an_xtask_that_was_killed_outright() {
    let scene = Scene::new();
    let run = scene.start(&[]);
    scene.wait_for("output", "everything is ready");
    run.signal(Signal::KILL);
    scene.assert_nothing_survives();
}

#[test]
fn a_taken_port_stops_it_before_anything_starts() {
    let scene = Scene::new();
    let _listener = TcpListener::bind((Ipv4Addr::LOCALHOST, scene.ports[0])).unwrap();
    let mut run = scene.start(&[]);
    assert_eq!(run.end().code(), Some(1));
    let errors = scene.read("errors");
    assert!(
        errors.contains(&format!("port {}", scene.ports[0])) && errors.contains("--site-port PORT"),
        "{errors}"
    );
    assert!(scene.journal("start ").is_empty());
}

#[test]
fn a_second_run_in_the_same_repository_is_refused() {
    let scene = Scene::new();
    fs::create_dir_all(scene.folder.join("up")).unwrap();
    let lock = fs::File::create(scene.folder.join("up/lock")).unwrap();
    lock.try_lock().unwrap();
    let mut run = scene.start(&[]);
    assert_eq!(run.end().code(), Some(1));
    assert!(scene.read("errors").contains("already runs"));
    assert!(scene.journal("start ").is_empty());
}
